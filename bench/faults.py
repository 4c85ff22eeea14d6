"""Whether no event is lost or counted twice, with concurrent clients and with killed processes."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.results import Result
from bench.rig import load
from bench.rig.client import RequestPlan, Run, drive, start
from bench.rig.counting import COUNTED_EVENTS, STORED_EVENTS
from bench.rig.load import LoadShape
from bench.rig.rig import Rig, Tenant, create_tenant, now
from bench.rig.service import Service, wait_until

BATCH = 20
FEW_ACCOUNTS = LoadShape(accounts=10, users=5)
DEADLOCKS = "SELECT sum(deadlocks) FROM pg_stat_database"
STORED_IDS = "SELECT message_id FROM event WHERE workspace_id = %s"


@dataclass(frozen=True, slots=True)
class ConcurrencySizes:
    """``same_batches``: batches that all clients send. ``mixed_events``: of overlapping accounts.

    ``workers``: processes of the service. ``writers``: clients that send the mixed events.
    """

    workers: int
    clients: int
    same_batches: int
    writers: int
    mixed_events: int


FULL_CONCURRENCY = ConcurrencySizes(
    workers=2, clients=16, same_batches=20, writers=8, mixed_events=60_000
)
SMALLEST_CONCURRENCY = ConcurrencySizes(
    workers=1, clients=4, same_batches=2, writers=4, mixed_events=1_000
)


@dataclass(frozen=True, slots=True)
class KillSizes:
    """``kills``: in turn of the service and of the database. ``requests``: at most, while killing.

    ``workers``: processes of the service.
    """

    workers: int
    kills: int
    requests: int
    requests_per_second: int
    max_seconds: int


FULL_KILLS = KillSizes(
    workers=2, kills=20, requests=12_000, requests_per_second=60, max_seconds=600
)
SMALLEST_KILLS = KillSizes(
    workers=1, kills=2, requests=1_000, requests_per_second=20, max_seconds=100
)


def run_concurrency(rig: Rig, sizes: ConcurrencySizes) -> list[Result]:
    service = rig.shared_service(workers=sizes.workers)
    return [_send_same_batches(rig, service, sizes), _send_overlapping(rig, service, sizes)]


def _send_same_batches(rig: Rig, service: Service, sizes: ConcurrencySizes) -> Result:
    """Send each batch as many times at once as there are clients."""
    tenant = create_tenant(rig, "same batches")
    batches = load.batches(FEW_ACCOUNTS, sizes.same_batches, 100, seed="same", now=now())
    requests = [load.request(tenant.write_key, batch) for batch in batches]
    repeated = [request for request in requests for _ in range(sizes.clients)]
    sent = drive(RequestPlan(service.port, repeated, sizes.clients))
    name = f"the same batch from {sizes.clients} clients"
    return _compare_counts(rig, tenant, sent, sizes.same_batches * 100, name)


def _send_overlapping(rig: Rig, service: Service, sizes: ConcurrencySizes) -> Result:
    """Send events in random order, so that concurrent batches write the same rows of counts."""
    tenant = create_tenant(rig, "overlapping")
    calls = list(load.calls(FEW_ACCOUNTS, sizes.mixed_events, seed="overlapping", now=now()))
    Random(7).shuffle(calls)  # noqa: S311 - a load
    batches = [calls[n : n + 100] for n in range(0, len(calls), 100)]
    requests = [load.request(tenant.write_key, batch) for batch in batches]
    sent = drive(RequestPlan(service.port, requests, sizes.writers))
    name = f"{sizes.writers} writers, overlapping accounts"
    return _compare_counts(rig, tenant, sent, len(calls), name)


def _compare_counts(rig: Rig, tenant: Tenant, sent: Run, expected: int, name: str) -> Result:
    stored, counted = (rig.number(q, id=tenant.id) for q in (STORED_EVENTS, COUNTED_EVENTS))
    return Result(
        name,
        stored,
        f"{stored:,} stored, {counted:,} counted",
        f"{expected:,} sent, {sent.failures} failed, {rig.number(DEADLOCKS)} deadlocks",
        "equal",
        stored == counted == expected and not sent.failures,
        exact=True,
    )


def run_kills(rig: Rig, sizes: KillSizes) -> list[Result]:
    tenant = create_tenant(rig, "kills")
    batches = load.batches(LoadShape(accounts=100), sizes.requests, BATCH, seed="kills", now=now())
    service = rig.start_service(workers=sizes.workers, worker=True)
    client = start(
        RequestPlan(
            service.port,
            [load.request(tenant.write_key, batch) for batch in batches],
            connections=4,
            rate=sizes.requests_per_second,
            retry=True,
            max_seconds=sizes.max_seconds,
        )
    )
    try:
        service = _kill_in_turn(rig, service, sizes)
        client.stop()
        sent = client.result()
    finally:
        service.stop()
    rig.engine.dispose()  # its connections are to a server that was killed
    return [_compare_with_acknowledged(rig, tenant, sent, batches, sizes.kills)]


def _kill_in_turn(rig: Rig, service: Service, sizes: KillSizes) -> Service:
    """Kill the whole service and the database in turn while events come in."""
    random = Random(7)  # noqa: S311 - a load
    for n in range(sizes.kills):
        time.sleep(random.uniform(0.3, 1.5))
        if n % 2:
            _kill_database(rig)
            service.wait_until_ready()
        else:
            service.kill()
            service = rig.start_service(workers=sizes.workers, worker=True, port=service.port)
    return service


def _kill_database(rig: Rig) -> None:
    """Kill the database server, and wait until the service has started a new one."""
    if killed := rig.postmaster:
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: rig.postmaster not in {killed, None})


def _compare_with_acknowledged(
    rig: Rig, tenant: Tenant, sent: Run, batches: Sequence[load.Calls], kills: int
) -> Result:
    acknowledged = {call["messageId"] for number in sent.succeeded for call in batches[number]}
    with rig.engine.connect() as connection:
        stored = set(connection.exec_driver_sql(STORED_IDS, (tenant.id,)).scalars())
    counted = rig.number(COUNTED_EVENTS, id=tenant.id)
    lost, doubled = len(acknowledged - stored), counted - len(stored)
    return Result(
        f"{kills} kills of service and database",
        lost,
        f"{lost} lost, {doubled} counted twice",
        f"{len(acknowledged):,} acknowledged, {counted:,} counted",
        "0 and 0",
        lost == 0 and doubled == 0 and bool(acknowledged),
        exact=True,
    )
