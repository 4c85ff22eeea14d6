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
from app.bench import load, probing
from app.bench.client import OK, Line, get
from app.bench.fill import fill, score
from app.bench.probing import GIVE_UP_SECONDS, PAST, POLL_SECONDS, PROBES, SHAPE
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, database, now, service, tenant
from app.core.db import transaction

BAR_SECONDS = 2.0


def run() -> list[Result]:
    with database() as rig:
        owner = tenant(rig, "freshness")
        fill(rig, owner, PAST)
        score(rig, owner)
        with service(rig, workers=1, worker=True) as server:
            probing.settle(rig)
            idle = _waits(server, owner, "idle")
            with _sweeping(rig, owner) as sweeps:
                swept = _waits(server, owner, "sweep")
    return [
        probing.told("event to score, no sweep", idle, "events", BAR_SECONDS),
        probing.told(
            f"event to score, {sweeps.rounds} sweeps meanwhile", swept, "events", BAR_SECONDS
        ),
    ]


def _waits(server: Service, owner: Tenant, seed: str) -> list[float]:
    """Send a steady load; meanwhile measure how long single events of it take to be scored."""
    probes = [_Probe(owner, f"{seed}{n}") for n in range(PROBES)]
    return probing.waits(server, owner, seed, probes)


@dataclass
class _Probe:
    """Sends one event after the other and polls the account's score until it has seen it."""

    owner: Tenant
    seed: str
    turn: int = 0
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a load

    def pause(self) -> float:
        return self.random.random() / 4

    def wait(self, line: Line) -> float:
        self.turn += 1
        account = self.random.randrange(SHAPE.accounts)
        sent = now()
        event = {
            "type": "track",
            "messageId": f"{self.seed}-{self.turn}",
            "userId": f"a{account}-u0",
            "event": "Event 1",
            "context": {"groupId": f"a{account}"},
        }
        status, _ = line.ask(load.request(self.owner.write_key, [event]))
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
