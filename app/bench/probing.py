"""A steady load of events, and probes that meanwhile measure how long something takes."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from app.bench import load
from app.bench.client import Line, Plan, percentile, start
from app.bench.fill import Past
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, now

SHAPE = load.Shape(accounts=5_000)
PAST = Past(SHAPE.accounts, users=10, uses=20, reached=100)
EVENTS_PER_SECOND, BATCH = 500, 10
SECONDS, WARM_SECONDS = 40, 5
PROBES, POLL_SECONDS, GIVE_UP_SECONDS = 4, 0.02, 20.0
QUIET_LOOKS = 5
"""So often in a row nothing is left: one thing may order another."""


class Probe(Protocol):
    """Sends one event after the other, each with ``wait``, and waits for what comes of it."""

    def wait(self, line: Line) -> float: ...
    def pause(self) -> float: ...


UNDONE = """
SELECT (SELECT count(*) FROM due)
     + (SELECT count(*) FROM job WHERE state IN ('queued', 'running'))
"""
SETTLE_SECONDS = 300


def settle(rig: Rig) -> None:
    """Wait until all is done that a start orders: the sweep of the day, backtests, a training."""
    give_up, quiet = time.monotonic() + SETTLE_SECONDS, 0
    while quiet < QUIET_LOOKS:
        if time.monotonic() > give_up:
            raise RuntimeError("The worker does not come to rest.")
        quiet = 0 if rig.number(UNDONE) else quiet + 1
        time.sleep(1)


def waits(server: Service, owner: Tenant, seed: str, probes: Sequence[Probe]) -> list[float]:
    """Send the load, and return all that the probes measured during it."""
    rate = EVENTS_PER_SECOND / BATCH
    made = load.batches(SHAPE, round(rate * SECONDS), BATCH, seed=seed, now=now())
    requests = [load.request(owner.write_key, batch) for batch in made]
    running = start(Plan(server.port, requests, connections=4, rate=rate))
    until = time.monotonic() + SECONDS - 1
    with ThreadPoolExecutor(len(probes)) as pool:
        measured = list(pool.map(lambda probe: _probed(server, probe, until), probes))
    running.result().all_answered()
    return [wait for some in measured for wait in some]


def told(what: str, waits: list[float], of: str, bar_seconds: float | None) -> Result:
    """Say how long it took; without a bar it only informs."""
    p50, p95 = percentile(waits, 0.5), percentile(waits, 0.95)
    compared = f"p50 {p50:.2f} s, {len(waits)} {of}"
    if bar_seconds is None:
        return Result(what, f"p95 {p95:.2f} s", compared)
    bar = f"p95 ≤ {bar_seconds:.0f} s"
    return Result(what, f"p95 {p95:.2f} s", compared, bar, p95 <= bar_seconds)


def _probed(server: Service, probe: Probe, until: float) -> list[float]:
    line, found = Line(server.port), list[float]()
    time.sleep(WARM_SECONDS)
    while time.monotonic() < until:
        found.append(probe.wait(line))
        time.sleep(probe.pause())
    line.close()
    return found
