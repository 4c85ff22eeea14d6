"""How long after an event is accepted the score that has seen it can be read."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import orjson

from app.accounts.due import Priority
from app.accounts.queries import mark_all_due
from app.bench import load
from app.bench.client import OK, Line, Plan, get, percentile, post, start
from app.bench.fill import Past, fill
from app.bench.reads import score
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, database, now, service, tenant
from app.core.db import transaction

SHAPE = load.Shape(accounts=5_000)
PAST = Past(SHAPE.accounts, users=10, uses=20, reached=100)
EVENTS_PER_SECOND, BATCH = 500, 10
SECONDS, WARM_SECONDS = 40, 5
PROBES, POLL_SECONDS, GIVE_UP_SECONDS = 4, 0.02, 20.0
BAR_SECONDS = 2.0


def run() -> list[Result]:
    with database() as rig:
        owner = tenant(rig, "freshness")
        fill(rig, owner, PAST, today=now().date())
        score(rig, owner)
        with service(rig, workers=1, worker=True) as server:
            idle = _waits(server, owner, "idle")
            with _sweeping(rig, owner) as sweeps:
                swept = _waits(server, owner, "sweep")
    return [
        _result("no sweep", idle),
        _result(f"{sweeps.rounds} sweeps meanwhile", swept),
    ]


def _result(when: str, waits: list[float]) -> Result:
    p50, p95 = percentile(waits, 0.5), percentile(waits, 0.95)
    return Result(
        f"event to score, {when}",
        f"p95 {p95:.2f} s",
        f"p50 {p50:.2f} s, {len(waits)} events",
        None,
        f"p95 ≤ {BAR_SECONDS:.0f} s",
        p95 <= BAR_SECONDS,
    )


def _waits(server: Service, owner: Tenant, seed: str) -> list[float]:
    """Send a steady load; meanwhile measure how long single events of it take to be scored."""
    rate = EVENTS_PER_SECOND / BATCH
    made = load.batches(SHAPE, round(rate * SECONDS), BATCH, seed=seed, now=now())
    requests = [post("/v1/batch", owner.write_key, load.body(batch)) for batch in made]
    running = start(Plan(server.port, requests, connections=4, rate=rate))
    probes = [_Probe(server, owner, f"{seed}{n}", time.monotonic()) for n in range(PROBES)]
    threads = [threading.Thread(target=probe.run) for probe in probes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = running.result()
    if len(done.answered) != len(requests):
        raise RuntimeError(f"{len(requests) - len(done.answered)} requests failed.")
    return [wait for probe in probes for wait in probe.waits]


@dataclass
class _Probe:
    """Sends one event after the other and polls the account's score until it has seen it."""

    server: Service
    owner: Tenant
    seed: str
    started: float
    waits: list[float] = field(default_factory=list)

    def run(self) -> None:
        random, line, turn = Random(self.seed), Line(self.server.port), 0  # noqa: S311 - a load
        time.sleep(WARM_SECONDS)
        while time.monotonic() < self.started + SECONDS - 1:
            turn += 1
            self.waits.append(self._wait(line, random.randrange(SHAPE.accounts), turn))
            time.sleep(random.random() / 4)
        line.close()

    def _wait(self, line: Line, account: int, turn: int) -> float:
        sent = now()
        event = {
            "type": "track",
            "messageId": f"{self.seed}-{turn}",
            "userId": f"a{account}-u0",
            "event": "Event 1",
            "context": {"groupId": f"a{account}"},
        }
        status, _ = line.ask(post("/v1/batch", self.owner.write_key, load.body([event])))
        accepted = time.monotonic()
        if status != OK:
            raise RuntimeError("An event was not accepted.")
        ask = get(f"/api/v1/accounts/a{account}/health", self.owner.read_key)
        while not self._has_seen(line.ask(ask)[1], sent):
            if time.monotonic() - accepted > GIVE_UP_SECONDS:
                break
            time.sleep(POLL_SECONDS)
        return time.monotonic() - accepted

    @staticmethod
    def _has_seen(answer: bytes, sent: datetime) -> bool:
        through = orjson.loads(answer).get("data_through") if answer else None
        return through is not None and datetime.fromisoformat(through) >= sent


@dataclass
class _Sweeps:
    rounds: int = 0


@contextmanager
def _sweeping(rig: Rig, owner: Tenant) -> Iterator[_Sweeps]:
    """Keep a sweep under way: mark every account due again whenever the last one is through."""
    stopping, sweeps = threading.Event(), _Sweeps()

    def mark() -> None:
        while not stopping.is_set():
            if not rig.number(
                "SELECT count(*) FROM due WHERE priority = :sweep", sweep=Priority.SWEEP
            ):
                with transaction(rig.sessions) as session:
                    mark_all_due(session, owner.id, priority=Priority.SWEEP)
                sweeps.rounds += 1
            stopping.wait(0.1)

    thread = threading.Thread(target=mark)
    thread.start()
    try:
        yield sweeps
    finally:
        stopping.set()
        thread.join()
