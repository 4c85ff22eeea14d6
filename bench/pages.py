"""How long pages and answers to agents take, of a workspace with many accounts; their weight."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from app.core.db import transaction
from app.members import service as members
from app.members.roles import Role
from bench.at_risk_fill import fill_at_risk
from bench.results import Result
from bench.rig.client import HOST
from bench.rig.fill import Volume
from bench.rig.processor_time import processor_seconds
from bench.rig.rig import Rig, Tenant, bench_actor, create_tenant

MAX_P95_MS, MAX_BYTES = 150, 120_000
HISTORY = """
INSERT INTO health_history (
    workspace_id, account_id, as_of, change, score, band, status, coverage, mrr_cents, details,
    computed_at
)
SELECT workspace_id, account_id, as_of - back, 0, 100 * abs(sin(back + mrr_cents)), band, status,
       coverage, mrr_cents, '{}', computed_at
FROM health_score, generate_series(1, CAST(:days AS int)) AS back
WHERE workspace_id = :id AND as_of IS NOT NULL
"""
PATHS = {
    "Today": "/today",
    "Accounts": "/accounts",
    "Accounts by value": "/accounts?sort=score",
    "Accounts, filtered": '/accounts?filter={"segment":"segment 1"}&sort=-mrr',
    "Accounts, searched": "/accounts?q=company 12",
    "Account": "/accounts/a1",
    "Account, why": "/accounts/a1?tab=why",
    "Account, people": "/accounts/a1?tab=people",
    "Account, timeline": "/accounts/a1?tab=timeline",
    "Alerts": "/alerts",
    "Alerts of an owner": "/alerts?owner=nobody@example.com",
}

TOOL_CALLS: Mapping[str, Mapping[str, Any]] = {
    "account_brief": {"account_id": "a1"},
    "explain_change": {"account_id": "a1"},
    "at_risk": {},
}
ACCEPTED = {"Accept": "application/json, text/event-stream"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """``scored``: the accounts that are really scored; the others are copies of them."""

    accounts: int
    days: int
    requests: int
    scored: Volume


FULL = Sizes(
    accounts=10_000, days=89, requests=200, scored=Volume(100, users=5, uses=10, reached=50)
)
SMALLEST = Sizes(accounts=30, days=3, requests=3, scored=Volume(10, users=2, uses=3, reached=4))


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "pages")
    fill_at_risk(rig, tenant, sizes.scored, sizes.accounts)
    rig.run(HISTORY, id=tenant.id, days=sizes.days)
    rig.maintain()
    service = rig.shared_service(workers=1)
    roots = [service.process.pid, *([rig.postmaster] if rig.postmaster else [])]
    with httpx.Client(base_url=f"http://{HOST}:{service.port}", timeout=60) as client:
        client.post(f"/sign-in/{create_link(rig, tenant)}")
        requests = {name: client.build_request("GET", path) for name, path in PATHS.items()}
        for name, arguments in TOOL_CALLS.items():
            call = {"name": name, "arguments": arguments}
            requests[f"Agent: {name}"] = client.build_request(
                "POST",
                "/mcp",
                json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
                headers=ACCEPTED | {"Authorization": f"Bearer {tenant.read_key}"},
            )
        return [
            result
            for name, request in requests.items()
            for result in _results(name, measure(client, request, sizes.requests, roots))
        ]


def create_link(rig: Rig, tenant: Tenant) -> str:
    with transaction(rig.sessions) as session:
        _, link = members.invite_member(
            session, bench_actor(tenant.id), email="b@example.com", name="B", role=Role.ADMIN
        )
    return link


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each request, processor time of one in service and database, and bytes."""

    times: Sequence[float]
    processor_ms: float
    size: int


def measure(
    client: httpx.Client, request: httpx.Request, requests: int, roots: Sequence[int]
) -> Measured:
    """Measure an answer. The processor time is the same however loaded the machine is."""
    client.send(request).raise_for_status()
    times = []
    used = processor_seconds(roots)
    for _ in range(requests):
        begin = time.perf_counter()
        answer = client.send(request)
        times.append(1000 * (time.perf_counter() - begin))
        answer.raise_for_status()
    processor_ms = 1000 * (processor_seconds(roots) - used) / requests
    return Measured(sorted(times), processor_ms, int(answer.headers["content-length"]))


def _results(name: str, measured: Measured) -> list[Result]:
    times, size = measured.times, measured.size
    p50, p95 = (times[int(len(times) * share)] for share in (0.5, 0.95))
    return [
        Result(
            name,
            p95,
            f"p95 {p95:.0f} ms",
            f"p50 {p50:.0f} ms, processor {measured.processor_ms:.0f} ms",
            f"p95 ≤ {MAX_P95_MS} ms",
            p95 <= MAX_P95_MS,
        ),
        Result(
            f"{name}: weight",
            size,
            f"{size / 1000:.0f} kB",
            "",
            f"≤ {MAX_BYTES // 1000} kB",
            size <= MAX_BYTES,
            exact=True,
        ),
    ]
