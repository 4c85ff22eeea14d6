"""What must hold when many write at once and when processes die: nothing lost or doubled."""

import os
import signal
import time
from random import Random

from app.bench import load, server
from app.bench.client import Plan, Run, drive, start
from app.bench.ingest import COUNTED, STORED
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, database, now, service, tenant

CLIENTS, BATCHES = 16, 20
WRITERS = 8
FEW = load.Shape(accounts=10, users=5)
KILLS = 20
BATCH, REQUESTS, PER_SECOND = 20, 12_000, 60

DEADLOCKS = "SELECT sum(deadlocks) FROM pg_stat_database"


def run_concurrency() -> list[Result]:
    with database() as rig, service(rig, workers=2) as running:
        return [_same_batch(rig, running), _overlapping(rig, running)]


def _same_batch(rig: Rig, running: Service) -> Result:
    owner = tenant(rig, "same")
    made = load.batches(FEW, BATCHES, 100, seed="same", now=now())
    requests = [load.request(owner.write_key, batch) for batch in made]
    done = drive(Plan(running.port, [r for r in requests for _ in range(CLIENTS)], CLIENTS))
    return _exact(rig, owner, done, BATCHES * 100, f"same batch by {CLIENTS} clients")


def _overlapping(rig: Rig, running: Service) -> Result:
    owner = tenant(rig, "overlapping")
    made = list(load.calls(FEW, 60_000, seed="overlapping", now=now()))
    Random(7).shuffle(made)  # noqa: S311 - a load
    parts = [made[n : n + 100] for n in range(0, len(made), 100)]
    requests = [load.request(owner.write_key, part) for part in parts]
    done = drive(Plan(running.port, requests, WRITERS))
    return _exact(rig, owner, done, len(made), f"{WRITERS} writers, overlapping accounts")


def _exact(rig: Rig, owner: Tenant, done: Run, expected: int, what: str) -> Result:
    stored, counted = (rig.number(query, id=owner.id) for query in (STORED, COUNTED))
    failed = len(done.answers) - len(done.answered)
    return Result(
        what,
        f"{stored:,} stored, {counted:,} counted",
        f"{expected:,} sent, {failed} failed, {rig.number(DEADLOCKS)} deadlocks",
        "exact",
        stored == counted == expected and not failed,
    )


def run_kills() -> list[Result]:
    with database() as rig:
        owner = tenant(rig, "kills")
        made = load.batches(load.Shape(accounts=100), REQUESTS, BATCH, seed="kills", now=now())
        running = server.start(rig, workers=2, worker=True)
        requests = [load.request(owner.write_key, batch) for batch in made]
        sending = start(Plan(running.port, requests, 4, PER_SECOND, retry=True, most_seconds=600))
        try:
            running = _kill_often(rig, running)
            sending.stop()
            done = sending.result()
        finally:
            running.stop()
        rig.engine.dispose()  # its connections are to a server that was killed
        return [_kept(rig, owner, done, made)]


def _kill_often(rig: Rig, running: Service) -> Service:
    """Kill the whole service and the database in turn, each while events come in."""
    random = Random(7)  # noqa: S311 - a load
    for turn in range(KILLS):
        time.sleep(random.uniform(0.3, 1.5))
        if turn % 2:
            _kill_database(rig)
            server.wait_until_ready(running)
        else:
            running.kill()
            running = server.start(rig, workers=2, worker=True, port=running.port)
    return running


def _kill_database(rig: Rig) -> None:
    """Kill it, and wait until the service has started another."""
    if killed := rig.postmaster:
        os.kill(killed, signal.SIGKILL)
        server.wait_until(lambda: rig.postmaster not in {killed, None})


def _kept(rig: Rig, owner: Tenant, done: Run, made: list[load.Calls]) -> Result:
    acknowledged = {call["messageId"] for number in done.answered for call in made[number]}
    with rig.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT message_id FROM event WHERE workspace_id = %s", (owner.id,)
        )
        stored = set(rows.scalars())
    counted = rig.number(COUNTED, id=owner.id)
    lost, doubled = len(acknowledged - stored), counted - len(stored)
    return Result(
        f"{KILLS} kills of service and database",
        f"{lost} lost, {doubled} counted twice",
        f"{len(acknowledged):,} acknowledged, {counted:,} counted",
        "0 and 0",
        lost == 0 and doubled == 0,
    )
