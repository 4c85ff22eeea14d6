"""How many events a second are stored, deduplicated and counted, beside the bare function."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from psycopg.types.json import Jsonb

from app.core.db import transaction
from app.events.ingestion.queries import BatchOrigin, insert_events
from app.events.tables import Event
from bench.results import Result
from bench.rig import load
from bench.rig.client import Run
from bench.rig.counting import check_stored, send
from bench.rig.load import LoadShape
from bench.rig.rig import Rig, Tenant, create_tenant, now
from bench.rig.service import Service

MIN_PER_SECOND, MIN_RATIO, MIN_PER_SECOND_OF_500, MIN_SINGLE_PER_SECOND = 20_000, 0.7, 26_000, 900

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """``events``: in each round of batches. ``single_events``: in each round of single events.

    ``workers``: processes of the service. ``clients``: connections that send.
    """

    shape: LoadShape
    rounds: int
    workers: int
    clients: int
    events: int
    single_events: int
    warm_up_events: int


FULL = Sizes(
    LoadShape(),
    rounds=3,
    workers=2,
    clients=8,
    events=60_000,
    single_events=5_000,
    warm_up_events=20_000,
)
SMALLEST = Sizes(
    LoadShape(accounts=5, users=2),
    rounds=1,
    workers=1,
    clients=2,
    events=1_000,
    single_events=50,
    warm_up_events=500,
)


@dataclass(frozen=True, slots=True)
class Rates:
    """Events a second of the same batches, stored in three ways in three equal workspaces."""

    http: float
    function: float
    copy: float


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    service = rig.shared_service(workers=sizes.workers)
    rounds = range(sizes.rounds)
    of_100 = [_measure_round(rig, service, f"of 100 {n}", sizes, size=100) for n in rounds]
    of_500 = [_measure_round(rig, service, f"of 500 {n}", sizes, size=500) for n in rounds]
    singles = [_measure_singles(rig, service, f"single {n}", sizes) for n in rounds]
    return [*_results_of_100(of_100), _result_of_500(of_500), _result_of_singles(singles)]


def _measure_round(rig: Rig, service: Service, name: str, sizes: Sizes, *, size: int) -> Rates:
    """Store the same batches through the API, by the product's function, and by a bare COPY."""
    at = now()
    warm_up = load.batches(
        sizes.shape, sizes.warm_up_events // size, size, seed=f"{name} warm", now=at
    )
    batches = load.batches(sizes.shape, sizes.events // size, size, seed=name, now=at)
    http, function, copy = (create_tenant(rig, f"{name} {way}") for way in ("http", "fn", "copy"))
    send(service, http, warm_up, clients=sizes.clients)
    _store_each(rig, function, warm_up, at, _insert)
    rates = Rates(
        size * send(service, http, batches, clients=sizes.clients).per_second,
        _store_each(rig, function, batches, at, _insert),
        _store_each(rig, copy, batches, at, _copy),
    )
    for tenant in (http, function):
        check_stored(rig, tenant, size * (len(warm_up) + len(batches)))
    return rates


def _measure_singles(rig: Rig, service: Service, name: str, sizes: Sizes) -> Run:
    tenant = create_tenant(rig, name)
    warm_up = load.batches(
        sizes.shape, sizes.warm_up_events // 100, 100, seed=f"{name} warm", now=now()
    )
    send(service, tenant, warm_up, clients=sizes.clients)
    singles = load.batches(sizes.shape, sizes.single_events, 1, seed=name, now=now())
    return send(service, tenant, singles, clients=sizes.clients)


def _store_each(
    rig: Rig,
    tenant: Tenant,
    batches: Sequence[load.Calls],
    at: datetime,
    store: Callable[[Rig, BatchOrigin, Rows], None],
) -> float:
    """Store parsed batches one after the other over one connection; return events a second."""
    origin = BatchOrigin(tenant.id, tenant.key_id, at)
    parsed = [load.parsed_rows(batch, now=at) for batch in batches]
    started = time.perf_counter()
    for rows in parsed:
        store(rig, origin, rows)
    return sum(map(len, parsed)) / (time.perf_counter() - started)


def _insert(rig: Rig, origin: BatchOrigin, rows: Rows) -> None:
    """Store and count a batch as the service does once it is parsed."""
    with transaction(rig.sessions) as session:
        insert_events(
            session,
            origin,
            rows,
            known_on=origin.received_at.date(),
            aliases=False,
            excluded=[],
            only_use=True,
        )


def _copy(rig: Rig, origin: BatchOrigin, rows: Rows) -> None:
    """Copy the rows into the table of events: the fastest way, which counts nothing."""
    common = {
        "workspace_id": origin.workspace_id,
        "key_id": origin.key_id,
        "received_at": origin.received_at,
    }
    columns = [name for name in Event.__table__.columns.keys() if name in {*rows[0], *common}]  # noqa: SIM118 - a collection of columns, no mapping
    with rig.engine.begin() as connection:
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY event ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                values = {**row, **common, "properties": Jsonb(row["properties"])}
                copy.write_row([values[name] for name in columns])


def _results_of_100(rounds: Sequence[Rates]) -> list[Result]:
    rate, function, copy = (
        median(getattr(rates, way) for rates in rounds) for way in ("http", "function", "copy")
    )
    ratio = median(rates.http / rates.function for rates in rounds)
    measured = f"{rate:,.0f} events/s"
    return [
        Result(
            "batches of 100",
            rate,
            measured,
            f"ingest function alone {function:,.0f}/s",
            f"≥ {MIN_PER_SECOND:,}/s and ≥ {MIN_RATIO:.0%}",
            rate >= MIN_PER_SECOND and ratio >= MIN_RATIO,
            ratio,
        ),
        Result(
            "batches of 100", rate, measured, f"COPY of the rows {copy:,.0f}/s", ratio=rate / copy
        ),
    ]


def _result_of_500(rounds: Sequence[Rates]) -> Result:
    rate, function = median(r.http for r in rounds), median(r.function for r in rounds)
    return Result(
        "batches of 500",
        rate,
        f"{rate:,.0f} events/s",
        f"ingest function alone {function:,.0f}/s",
        f"≥ {MIN_PER_SECOND_OF_500:,}/s",
        rate >= MIN_PER_SECOND_OF_500,
        rate / function,
    )


def _result_of_singles(rounds: Sequence[Run]) -> Result:
    rate = median(run.per_second for run in rounds)
    return Result(
        "single events",
        rate,
        f"{rate:,.0f} requests/s",
        f"p99 {median(run.milliseconds(0.99) for run in rounds):.1f} ms",
        f"≥ {MIN_SINGLE_PER_SECOND}/s",
        rate >= MIN_SINGLE_PER_SECOND,
    )
