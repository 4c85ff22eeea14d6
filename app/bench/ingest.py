"""How many events are stored, deduplicated and counted in a second, beside the bare statement."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import TextClause, text

from app.bench import load
from app.bench.client import Plan, Run, drive
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, database, now, service, tenant
from app.events.ingestion.statements import ingest_statement

ROUNDS = 3
CLIENTS = 8
LEAST, LEAST_RATIO, LEAST_OF_500, LEAST_SINGLE = 20_000, 0.7, 26_000, 900
SHAPE = load.Shape()

STORED = "SELECT count(*) FROM event WHERE workspace_id = :id"
COUNTED = "SELECT sum(events) FROM daily_usage WHERE workspace_id = :id"

EVENTS_ALONE = text("""
INSERT INTO event (
    workspace_id, client_at, message_id, occurred_at, received_at, kind, name, account_id,
    user_id, anonymous_id, key_id, sdk, skew_seconds, fingerprint, properties
)
SELECT :workspace_id, client_at, message_id, occurred_at, :received_at, kind, name, account_id,
       user_id, anonymous_id, :key_id, sdk, skew_seconds, fingerprint, properties
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    message_id text, client_at timestamptz, occurred_at timestamptz, kind text, name text,
    account_id text, user_id text, anonymous_id text, sdk text, skew_seconds int,
    fingerprint bigint, properties jsonb)
ORDER BY client_at, message_id
ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class Round:
    """Events a second, three ways, of the same batches in three equal workspaces."""

    http: float
    bare: float
    alone: float


def run() -> list[Result]:
    with database() as rig, service(rig, workers=2) as server:
        big = [_round(rig, server, f"h{n}", batches=600, size=100) for n in range(ROUNDS)]
        bigger = [_round(rig, server, f"k{n}", batches=120, size=500) for n in range(ROUNDS)]
        single = [_singles(rig, server, f"s{n}") for n in range(ROUNDS)]
    rate, bare, alone = (
        median(getattr(r, name) for r in big) for name in ("http", "bare", "alone")
    )
    ratio = median(r.http / r.bare for r in big)
    larger, larger_bare = median(r.http for r in bigger), median(r.bare for r in bigger)
    one = median(run.per_second for run in single)
    return [
        Result(
            "batches of 100",
            f"{rate:,.0f} events/s",
            f"bare statement {bare:,.0f}/s",
            f"≥ {LEAST:,}/s and ≥ {LEAST_RATIO:.0%}",
            rate >= LEAST and ratio >= LEAST_RATIO,
            ratio=ratio,
        ),
        Result(
            "batches of 100",
            f"{rate:,.0f} events/s",
            f"event insert alone {alone:,.0f}/s",
            ratio=rate / alone,
        ),
        Result(
            "batches of 500",
            f"{larger:,.0f} events/s",
            f"bare statement {larger_bare:,.0f}/s",
            f"≥ {LEAST_OF_500:,}/s",
            larger >= LEAST_OF_500,
            ratio=larger / larger_bare,
        ),
        Result(
            "single events",
            f"{one:,.0f} requests/s",
            f"p99 {median(run.milliseconds(0.99) for run in single):.1f} ms",
            f"≥ {LEAST_SINGLE}/s",
            one >= LEAST_SINGLE,
        ),
    ]


def _round(rig: Rig, server: Service, name: str, *, batches: int, size: int) -> Round:
    at = now()
    warm = load.batches(SHAPE, 20_000 // size, size, seed=f"{name}w", now=at)
    made = load.batches(SHAPE, batches, size, seed=name, now=at)
    over_http, bare, alone = (tenant(rig, f"{name} {way}") for way in ("http", "bare", "alone"))
    send(server, over_http, warm)
    execute(rig, ingest_statement(plain=True), bare, warm, at)
    rates = Round(
        size * send(server, over_http, made).per_second,
        execute(rig, ingest_statement(plain=True), bare, made, at),
        execute(rig, EVENTS_ALONE, alone, made, at),
    )
    check_stored(rig, over_http, size * (len(warm) + len(made)))
    return rates


def _singles(rig: Rig, server: Service, name: str) -> Run:
    owner = tenant(rig, name)
    warm = load.batches(SHAPE, 200, 100, seed=f"{name}w", now=now())
    send(server, owner, warm)
    return send(server, owner, load.batches(SHAPE, 5_000, 1, seed=name, now=now()))


def send(server: Service, owner: Tenant, made: Sequence[Sequence[load.Call]]) -> Run:
    requests = [load.request(owner.write_key, batch) for batch in made]
    return drive(Plan(server.port, requests, CLIENTS)).all_answered()


def execute(
    rig: Rig,
    statement: TextClause,
    owner: Tenant,
    made: Sequence[Sequence[load.Call]],
    at: datetime,
) -> float:
    """Run a statement for each batch over one connection, prepared; return events a second."""
    values = [
        {
            "workspace_id": owner.id,
            "key_id": owner.key_id,
            "received_at": at,
            "received_on": at.date(),
            "historical": False,
            "rows": load.rows(batch, now=at),
        }
        for batch in made
    ]
    with rig.engine.connect() as connection:
        started = time.perf_counter()
        for value in values:
            connection.execute(statement, value)
            connection.commit()
        return sum(map(len, made)) / (time.perf_counter() - started)


def check_stored(rig: Rig, owner: Tenant, expected: int) -> None:
    if {rig.number(query, id=owner.id) for query in (STORED, COUNTED)} != {expected}:
        raise RuntimeError("What was stored or counted is not what was sent.")
