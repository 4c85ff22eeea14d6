"""How fast everything is scored again, beside a bare GROUP BY over the same rows."""

import json
import subprocess
import sys
import time
from datetime import timedelta

from sqlalchemy import text

from app.bench.fill import LOOK_BACK_DAYS, Past, fill
from app.bench.results import Result
from app.bench.server import Rig, Tenant, database, now, tenant
from app.core.db import open_engine

PAST = Past(accounts=10_000)
SWEEPER = "app.bench.sweeper"

MOST_MEGABYTES = 400
BAR = 0.4

GROUPED = (
    """SELECT count(*) FROM (
        SELECT account_id, user_id, max(day), sum(events) FROM daily_usage
        WHERE workspace_id = :id AND day > :since GROUP BY 1, 2) AS g""",
    """SELECT count(*) FROM (
        SELECT account_id, end_customer_id, max(day) FROM daily_reach
        WHERE workspace_id = :id AND day > :since GROUP BY 1, 2) AS g""",
)
ROWS = (
    "SELECT count(*) FROM daily_usage WHERE workspace_id = :id",
    "SELECT count(*) FROM daily_reach WHERE workspace_id = :id",
)


def run() -> list[Result]:
    with database() as rig:
        owner = tenant(rig, "sweep")
        fill(rig, owner, PAST)
        rows = _rows(rig, owner)
        _grouped(rig, owner)
        bare = _grouped(rig, owner)
        found = _swept(rig, owner)
    ratio, megabytes = bare / found["sweep"], found["kb"] / 1024
    return [
        Result(
            f"sweep, {found['accounts']:,.0f} accounts, {rows / 1e6:.1f} M rows",
            f"{rows / found['sweep']:,.0f} rows/s ({found['sweep']:.0f} s)",
            f"GROUP BY {rows / bare:,.0f} rows/s",
            f"≥ {BAR:.0%}",
            ratio >= BAR,
            ratio=ratio,
        ),
        Result(
            "memory of the worker",
            f"{megabytes:.0f} MB",
            f"with the month's benchmark built: {found['first']:.0f} s",
            f"< {MOST_MEGABYTES} MB",
            megabytes < MOST_MEGABYTES,
        ),
    ]


def _rows(rig: Rig, owner: Tenant) -> int:
    return sum(rig.number(query, id=owner.id) for query in ROWS)


def _grouped(rig: Rig, owner: Tenant) -> float:
    """Return the seconds that the bare aggregates take, their groups counted and not sent."""
    since = now().date() - timedelta(days=LOOK_BACK_DAYS)
    engine = open_engine(rig.postgres.url, pool_size=1)
    started = time.perf_counter()
    with engine.begin() as connection:
        for query in GROUPED:
            connection.execute(text(query), {"id": owner.id, "since": since})
    engine.dispose()
    return time.perf_counter() - started


def _swept(rig: Rig, owner: Tenant) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", SWEEPER, rig.postgres.url, owner.id],
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
