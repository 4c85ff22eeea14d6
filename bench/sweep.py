"""How fast all accounts are scored again, beside a bare GROUP BY over the same rows."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from app.core.postgres.engines import open_engine
from bench.results import Result
from bench.rig.fill import LOOK_BACK_DAYS, Volume, fill
from bench.rig.rig import Rig, Tenant, create_tenant, now

SWEEPER = "bench.sweeper"
MAX_MEGABYTES = 400
MIN_RATIO = 0.4

GROUP_BY = (
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


@dataclass(frozen=True, slots=True)
class Sizes:
    volume: Volume


FULL = Sizes(Volume(10_000))
SMALLEST = Sizes(Volume(30, users=3, uses=5, reached=6))


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the sweeper process printed. ``first``: seconds of the sweep that builds the benchmark.

    ``sweep``, ``accounts``: of the second sweep. ``kb``: the peak memory of the process.
    """

    first: float
    sweep: float
    accounts: int
    kb: int


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "sweep")
    fill(rig, tenant, sizes.volume)
    rows = sum(rig.number(query, id=tenant.id) for query in ROWS)
    _time_group_by(rig, tenant)
    bare = _time_group_by(rig, tenant)
    sweep = _sweep(rig, tenant)
    return [*_sweep_results(sweep, sizes.volume.accounts, rows, bare), _memory_result(sweep)]


def _sweep_results(sweep: Sweep, accounts: int, rows: int, bare_seconds: float) -> list[Result]:
    rate, ratio = rows / sweep.sweep, bare_seconds / sweep.sweep
    return [
        Result(
            f"sweep, {rows / 1e6:.1f} M rows",
            rate,
            f"{rate:,.0f} rows/s ({sweep.sweep:.1f} s)",
            f"GROUP BY {rows / bare_seconds:,.0f} rows/s",
            f"≥ {MIN_RATIO:.0%}",
            ratio >= MIN_RATIO,
            ratio,
        ),
        Result(
            "accounts of the sweep",
            sweep.accounts,
            f"{sweep.accounts:,} scored",
            f"{accounts:,} in the workspace",
            "equal",
            sweep.accounts == accounts,
            exact=True,
        ),
    ]


def _memory_result(sweep: Sweep) -> Result:
    megabytes = sweep.kb / 1024
    return Result(
        "memory of the worker",
        megabytes,
        f"{megabytes:.0f} MB",
        f"the first sweep, which builds the benchmark of the month: {sweep.first:.1f} s",
        f"< {MAX_MEGABYTES} MB",
        megabytes < MAX_MEGABYTES,
    )


def _time_group_by(rig: Rig, tenant: Tenant) -> float:
    """Return the seconds of the bare aggregates; their groups are counted and not returned."""
    since = now().date() - timedelta(days=LOOK_BACK_DAYS)
    engine = open_engine(rig.postgres.url, pool_size=1)
    started = time.perf_counter()
    with engine.begin() as connection:
        for query in GROUP_BY:
            connection.execute(text(query), {"id": tenant.id, "since": since})
    engine.dispose()
    return time.perf_counter() - started


def _sweep(rig: Rig, tenant: Tenant) -> Sweep:
    """Sweep the workspace in a process of its own."""
    process = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", SWEEPER, rig.postgres.url, tenant.id],
        check=True,
        stdout=subprocess.PIPE,
    )
    return Sweep(**json.loads(process.stdout))
