"""A steady load of events, and probes that meanwhile measure how long something takes."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from app.bench import load
from app.bench.client import Line, Plan, post, start
from app.bench.fill import Past
from app.bench.server import Service, Tenant, now

SHAPE = load.Shape(accounts=5_000)
PAST = Past(SHAPE.accounts, users=10, uses=20, reached=100)
EVENTS_PER_SECOND, BATCH = 500, 10
SECONDS, WARM_SECONDS = 40, 5
PROBES, POLL_SECONDS, GIVE_UP_SECONDS = 4, 0.02, 20.0


class Probe(Protocol):
    """Sends one event after the other, each with ``wait``, and waits for what comes of it."""

    def wait(self, line: Line) -> float: ...
    def pause(self) -> float: ...


def waits(server: Service, owner: Tenant, seed: str, probes: Sequence[Probe]) -> list[float]:
    """Send the load, and return all that the probes measured during it."""
    rate = EVENTS_PER_SECOND / BATCH
    made = load.batches(SHAPE, round(rate * SECONDS), BATCH, seed=seed, now=now())
    requests = [post("/v1/batch", owner.write_key, load.body(batch)) for batch in made]
    running = start(Plan(server.port, requests, connections=4, rate=rate))
    until = time.monotonic() + SECONDS - 1
    with ThreadPoolExecutor(len(probes)) as pool:
        measured = list(pool.map(lambda probe: _probed(server, probe, until), probes))
    done = running.result()
    if len(done.answered) != len(requests):
        raise RuntimeError(f"{len(requests) - len(done.answered)} requests failed.")
    return [wait for some in measured for wait in some]


def _probed(server: Service, probe: Probe, until: float) -> list[float]:
    line, found = Line(server.port), list[float]()
    time.sleep(WARM_SECONDS)
    while time.monotonic() < until:
        found.append(probe.wait(line))
        time.sleep(probe.pause())
    line.close()
    return found
