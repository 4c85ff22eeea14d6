"""How fast a score is read, beside a route that only checks the key."""

from statistics import median

from app.bench.client import Plan, Run, drive, get
from app.bench.fill import Past, fill, score
from app.bench.results import Result
from app.bench.server import Service, Tenant, database, service, tenant

ACCOUNTS = 2_000
PAST = Past(ACCOUNTS, users=5, uses=10, reached=50)
PER_SECOND, SECONDS = 100, 15
ROUNDS, REQUESTS, CLIENTS = 3, 6_000, 8
MOST_P99_MS, LEAST_PER_SECOND, LEAST_RATIO = 15, 1_500, 0.3
NOOP, NOOP_PATH = ("-m", "app.bench.noop"), "/noop"


def run() -> list[Result]:
    with database() as rig:
        owner = tenant(rig, "reads")
        fill(rig, owner, PAST)
        score(rig, owner)
        with service(rig, workers=2) as server, service(rig, workers=2, command=NOOP) as other:
            _read(server, owner, 2_000)
            paced = _read(server, owner, PER_SECOND * SECONDS, rate=PER_SECOND)
            pairs = [
                (_read(server, owner, REQUESTS).per_second, _noop(other, owner).per_second)
                for _ in range(ROUNDS)
            ]
    rate, noops = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(read / nothing for read, nothing in pairs)
    p50, p99 = paced.milliseconds(0.5), paced.milliseconds(0.99)
    return [
        Result(
            f"GET health at {PER_SECOND}/s",
            f"p99 {p99:.1f} ms",
            f"p50 {p50:.1f} ms",
            f"p99 ≤ {MOST_P99_MS} ms",
            p99 <= MOST_P99_MS,
        ),
        Result(
            "GET health, 2 workers",
            f"{rate:,.0f} requests/s",
            f"no-op {noops:,.0f}/s",
            f"≥ {LEAST_PER_SECOND:,}/s and ≥ {LEAST_RATIO:.0%}",
            rate >= LEAST_PER_SECOND and ratio >= LEAST_RATIO,
            ratio=ratio,
        ),
    ]


def _read(server: Service, owner: Tenant, number: int, *, rate: float | None = None) -> Run:
    requests = [
        get(f"/api/v1/accounts/a{n * 7 % ACCOUNTS}/health", owner.read_key) for n in range(number)
    ]
    return drive(Plan(server.port, requests, CLIENTS, rate)).all_answered()


def _noop(server: Service, owner: Tenant) -> Run:
    requests = [get(NOOP_PATH, owner.read_key)] * REQUESTS
    return drive(Plan(server.port, requests, CLIENTS)).all_answered()
