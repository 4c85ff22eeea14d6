"""How long after an event is accepted the score that includes it can be read."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import orjson

from app.accounts.refresh_queue import Priority, mark_all_due
from app.core.db import transaction
from bench.results import Result
from bench.rig import load, probing
from bench.rig.client import OK, HttpConnection, get
from bench.rig.fill import fill, score_accounts
from bench.rig.probing import GIVE_UP_SECONDS, POLL_SECONDS, Sizes
from bench.rig.rig import Rig, Tenant, create_tenant, now
from bench.rig.service import Service

MAX_SECONDS = 2.0
DUE_OF_SWEEP = "SELECT count(*) FROM due WHERE priority = :sweep"


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "freshness")
    fill(rig, tenant, sizes.volume)
    score_accounts(rig, tenant)
    with rig.service(workers=1, worker=True) as service:
        probing.wait_until_idle(rig, sizes)
        quiet = _measure_waits(service, tenant, "quiet", sizes)
        with _repeated_sweeps(rig, tenant) as sweeps:
            sweeping = _measure_waits(service, tenant, "sweep", sizes)
    name = f"event to score, {sweeps.started} sweeps meanwhile"
    return [
        probing.summarize_waits("event to score, no sweep", quiet, "events", MAX_SECONDS),
        probing.summarize_waits(name, sweeping, "events", MAX_SECONDS),
    ]


def _measure_waits(service: Service, tenant: Tenant, seed: str, sizes: Sizes) -> list[float]:
    accounts = sizes.shape.accounts
    probes = [_ScoreProbe(tenant, f"{seed}{n}", accounts) for n in range(sizes.probes)]
    return probing.measure_waits(service, tenant, seed, probes, sizes)


@dataclass
class _ScoreProbe:
    """Sends events of random accounts and polls the score until it includes the event."""

    tenant: Tenant
    seed: str
    accounts: int
    sent: int = 0
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a load

    def pause_seconds(self) -> float:
        return self.random.random() / 4

    def measure_wait(self, connection: HttpConnection) -> float:
        self.sent += 1
        account = self.random.randrange(self.accounts)
        sent_at = now()
        event = {
            "type": "track",
            "messageId": f"{self.seed}-{self.sent}",
            "userId": f"a{account}-u0",
            "event": "Event 1",
            "context": {"groupId": f"a{account}"},
        }
        status, _ = connection.send(load.request(self.tenant.write_key, [event]))
        accepted_at = time.monotonic()
        if status != OK:
            raise RuntimeError(f"An event was answered with {status} instead of 200.")
        request = get(f"/api/v1/accounts/a{account}/health", self.tenant.read_key)
        while not self._includes(connection.send(request)[1], sent_at):
            if time.monotonic() - accepted_at > GIVE_UP_SECONDS:
                break
            time.sleep(POLL_SECONDS)
        return time.monotonic() - accepted_at

    @staticmethod
    def _includes(answer: bytes, sent_at: datetime) -> bool:
        """Return whether a score includes the events that were received until ``sent_at``."""
        through = orjson.loads(answer).get("data_through") if answer else None
        return through is not None and datetime.fromisoformat(through) >= sent_at


@dataclass
class _Sweeps:
    started: int = 0


@contextmanager
def _repeated_sweeps(rig: Rig, tenant: Tenant) -> Iterator[_Sweeps]:
    """Sweep without end: mark every account as due whenever the last sweep is done."""
    stopping, sweeps = threading.Event(), _Sweeps()

    def mark() -> None:
        while not stopping.is_set():
            if not rig.number(DUE_OF_SWEEP, sweep=Priority.SWEEP):
                with transaction(rig.sessions) as session:
                    mark_all_due(session, tenant.id, priority=Priority.SWEEP)
                sweeps.started += 1
            stopping.wait(0.1)

    thread = threading.Thread(target=mark)
    thread.start()
    try:
        yield sweeps
    finally:
        stopping.set()
        thread.join()
