"""How fast a health score is read, beside a route that only checks the API key."""

from dataclasses import dataclass
from statistics import median

from bench.results import Result
from bench.rig.client import RequestPlan, Run, drive, get
from bench.rig.fill import Volume, fill, score_accounts
from bench.rig.rig import Rig, Tenant, create_tenant
from bench.rig.serve import COMMAND, NOOP_PATH
from bench.rig.service import Service

PER_SECOND, CLIENTS = 100, 8
MAX_P99_MS, MIN_PER_SECOND, MIN_RATIO = 15, 1_500, 0.3


@dataclass(frozen=True, slots=True)
class Sizes:
    """``seconds``: how long requests come at a fixed rate. ``requests``: per round, at full speed.

    ``workers``: processes of each service.
    """

    volume: Volume
    workers: int
    seconds: int
    rounds: int
    requests: int
    warm_up_requests: int


FULL = Sizes(
    Volume(2_000, users=5, uses=10, reached=50),
    workers=2,
    seconds=15,
    rounds=3,
    requests=6_000,
    warm_up_requests=2_000,
)
SMALLEST = Sizes(
    Volume(20, users=2, uses=3, reached=4),
    workers=1,
    seconds=1,
    rounds=1,
    requests=100,
    warm_up_requests=20,
)


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "reads")
    fill(rig, tenant, sizes.volume)
    score_accounts(rig, tenant)
    service = rig.shared_service(workers=sizes.workers)
    with rig.service(workers=sizes.workers, worker=False, command=COMMAND) as reference:
        _read(service, tenant, sizes, sizes.warm_up_requests)
        paced = _read(service, tenant, sizes, PER_SECOND * sizes.seconds, rate=PER_SECOND)
        pairs = [
            (
                _read(service, tenant, sizes, sizes.requests).per_second,
                _call_noop(reference, tenant, sizes.requests).per_second,
            )
            for _ in range(sizes.rounds)
        ]
    return [_paced_result(paced), _full_speed_result(pairs, sizes.workers)]


def _paced_result(paced: Run) -> Result:
    p50, p99 = paced.milliseconds(0.5), paced.milliseconds(0.99)
    return Result(
        f"GET health at {PER_SECOND}/s",
        p99,
        f"p99 {p99:.1f} ms",
        f"p50 {p50:.1f} ms",
        f"p99 ≤ {MAX_P99_MS} ms",
        p99 <= MAX_P99_MS,
    )


def _full_speed_result(pairs: list[tuple[float, float]], workers: int) -> Result:
    rate, noops = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(read / noop for read, noop in pairs)
    return Result(
        f"GET health, processes: {workers}",
        rate,
        f"{rate:,.0f} requests/s",
        f"a route that does nothing {noops:,.0f}/s",
        f"≥ {MIN_PER_SECOND:,}/s and ≥ {MIN_RATIO:.0%}",
        rate >= MIN_PER_SECOND and ratio >= MIN_RATIO,
        ratio,
    )


def _read(
    service: Service, tenant: Tenant, sizes: Sizes, count: int, *, rate: float | None = None
) -> Run:
    """Read the scores of accounts in turn."""
    requests = [
        get(f"/api/v1/accounts/a{n * 7 % sizes.volume.accounts}/health", tenant.read_key)
        for n in range(count)
    ]
    return drive(RequestPlan(service.port, requests, CLIENTS, rate)).require_success()


def _call_noop(service: Service, tenant: Tenant, count: int) -> Run:
    requests = [get(NOOP_PATH, tenant.read_key)] * count
    return drive(RequestPlan(service.port, requests, CLIENTS)).require_success()
