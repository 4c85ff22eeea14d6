"""A steady load of events, and probes that measure waits during the load."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from bench.results import Result
from bench.rig import load
from bench.rig.client import HttpConnection, RequestPlan, percentile, start
from bench.rig.fill import Volume
from bench.rig.load import LoadShape
from bench.rig.rig import Rig, Tenant, now
from bench.rig.service import Service

BATCH = 10
POLL_SECONDS, GIVE_UP_SECONDS = 0.02, 20.0
IDLE_TIMEOUT_SECONDS = 300

UNSWEPT = "SELECT count(*) FROM workspace WHERE swept_on IS NULL"
UNFINISHED = """
SELECT (SELECT count(*) FROM due)
     + (SELECT count(*) FROM job WHERE state IN ('queued', 'running'))
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """``shape``: of the load, sent for ``seconds``. The probes start after ``warm_seconds``.

    The worker counts as idle after ``idle_checks`` in a row without work, ``idle_seconds`` apart:
    finished work may cause new work.
    """

    shape: LoadShape
    volume: Volume
    events_per_second: int
    seconds: float
    warm_seconds: float
    probes: int
    idle_checks: int
    idle_seconds: float


FULL = Sizes(
    LoadShape(accounts=5_000),
    Volume(5_000, users=10, uses=20, reached=100),
    events_per_second=500,
    seconds=40,
    warm_seconds=5,
    probes=4,
    idle_checks=5,
    idle_seconds=1,
)
SMALLEST = Sizes(
    LoadShape(accounts=20),
    Volume(20, users=2, uses=3, reached=4),
    events_per_second=50,
    seconds=1.5,
    warm_seconds=0.1,
    probes=2,
    idle_checks=2,
    idle_seconds=0.2,
)


class Probe(Protocol):
    """Sends events one at a time and waits until the effect of each is visible."""

    def measure_wait(self, connection: HttpConnection) -> float:
        """Send an event; return the seconds until its effect is visible."""
        ...

    def pause_seconds(self) -> float:
        """Return the pause before the next event."""
        ...


def wait_until_idle(rig: Rig, sizes: Sizes) -> None:
    """Wait for the work that a start of the worker causes: the daily sweep, backtests, training."""
    give_up_at, idle = time.monotonic() + IDLE_TIMEOUT_SECONDS, 0
    while idle < sizes.idle_checks:
        if time.monotonic() > give_up_at:
            raise RuntimeError(f"The worker was still busy after {IDLE_TIMEOUT_SECONDS} s.")
        idle = 0 if rig.number(UNSWEPT) or rig.number(UNFINISHED) else idle + 1
        time.sleep(sizes.idle_seconds)


def measure_waits(
    service: Service, tenant: Tenant, seed: str, probes: Sequence[Probe], sizes: Sizes
) -> list[float]:
    """Send the load, and return all waits that the probes measured during it."""
    rate = sizes.events_per_second / BATCH
    count = round(rate * sizes.seconds)
    batches = load.batches(sizes.shape, count, BATCH, seed=seed, now=now())
    requests = [load.request(tenant.write_key, batch) for batch in batches]
    client = start(RequestPlan(service.port, requests, connections=4, rate=rate))
    began = time.monotonic()
    start_at, stop_at = began + sizes.warm_seconds, began + sizes.seconds - 1
    with ThreadPoolExecutor(len(probes)) as pool:
        waits = pool.map(lambda probe: _run_probe(service, probe, start_at, stop_at), probes)
    client.result().require_success()
    return [wait for of_probe in waits for wait in of_probe]


def _run_probe(service: Service, probe: Probe, start_at: float, stop_at: float) -> list[float]:
    connection = HttpConnection(service.port)
    waits: list[float] = []
    time.sleep(max(start_at - time.monotonic(), 0))
    while time.monotonic() < stop_at:
        waits.append(probe.measure_wait(connection))
        time.sleep(probe.pause_seconds())
    connection.close()
    return waits


def summarize_waits(
    name: str, waits: Sequence[float], unit: str, max_seconds: float | None
) -> Result:
    """Return the percentiles as a result. ``max_seconds``: of the p95; None: it only informs."""
    p50, p95 = percentile(waits, 0.5), percentile(waits, 0.95)
    measured, compared = f"p95 {p95:.2f} s", f"p50 {p50:.2f} s, {len(waits)} {unit}"
    if max_seconds is None:
        return Result(name, p95, measured, compared)
    bar = f"p95 ≤ {max_seconds:.0f} s"
    return Result(name, p95, measured, compared, bar, p95 <= max_seconds)
