"""How soon an open page shows a score that an event has moved, and what 200 open pages cost."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import orjson

from app.changes.queries import NewChange, record_changes
from app.core.db import transaction
from app.members import service as members
from app.members.roles import Role
from app.web.live.hub import MOST_OF_SESSION
from bench.results import Result
from bench.rig import probing
from bench.rig.client import HOST
from bench.rig.fill import Volume, fill, score_accounts
from bench.rig.processor_time import processor_seconds
from bench.rig.rig import Rig, Tenant, bench_actor, create_tenant, now

MAX_SECONDS, MAX_SHARE = 2.0, 0.1
GIVE_UP_SECONDS, NEW_PEOPLE = 20.0, 10
ACCEPT = {"Accept": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """``events``: how many scores are moved. ``seconds``: of each measurement of the cost."""

    volume: Volume
    idle: probing.Sizes
    events: int
    pages: int
    seconds: int


FULL = Sizes(Volume(500, users=10, uses=20, reached=100), probing.FULL, 40, 200, 20)
SMALLEST = Sizes(Volume(20, users=2, uses=3, reached=4), probing.SMALLEST, 2, 10, 1)


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "live")
    fill(rig, tenant, sizes.volume)
    score_accounts(rig, tenant)
    with rig.service(workers=1, worker=True) as service:
        probing.wait_until_idle(rig, sizes.idle)
        with sign_in(rig, tenant, service.port, "reader") as client:
            waits = list(_measure_waits(client, tenant, sizes))
    with rig.service(workers=1, worker=False) as service:  # its leftover work would hide the cost
        roots = [service.process.pid, *([rig.postmaster] if rig.postmaster else [])]
        without = _processor_share(rig, tenant, roots, sizes)
        with ExitStack() as pages:
            _open_pages(rig, tenant, service.port, sizes.pages, pages)
            cost = _processor_share(rig, tenant, roots, sizes) - without
    return [
        probing.summarize_waits("event to open page", waits, "moved scores", MAX_SECONDS),
        Result(
            f"{sizes.pages} open pages, a change a second",
            cost,
            f"{cost:.1%} of a core",
            f"without pages {without:.1%}",
            f"≤ {MAX_SHARE:.0%}",
            cost <= MAX_SHARE,
        ),
    ]


def sign_in(rig: Rig, tenant: Tenant, port: int, name: str) -> httpx.Client:
    with transaction(rig.sessions) as session:
        actor, email = bench_actor(tenant.id), f"{name}@example.com"
        _, link = members.invite_member(session, actor, email=email, name=name, role=Role.VIEWER)
    url = f"http://{HOST}:{port}"
    cookies = httpx.post(f"{url}/sign-in/{link}", timeout=60).cookies
    return httpx.Client(base_url=url, cookies=cookies, timeout=60)


def _measure_waits(client: httpx.Client, tenant: Tenant, sizes: Sizes) -> Iterator[float]:
    """Yield the seconds from the answer to an event until the page with the new score is read."""
    with client.stream("GET", "/live", headers=ACCEPT) as stream:
        lines = stream.raise_for_status().iter_lines()
        for number in range(sizes.events):
            account = f"a{number % sizes.volume.accounts}"
            accepted_at = _send_use(client, tenant, account, number)
            if _hears_of(lines, account, accepted_at + GIVE_UP_SECONDS):
                client.get(f"/accounts/{account}").raise_for_status()
                yield time.monotonic() - accepted_at


def _send_use(client: httpx.Client, tenant: Tenant, account: str, number: int) -> float:
    """Send the first use of ten new people, which moves the score of their account."""
    calls = [
        {
            "type": "track",
            "messageId": f"live-{number}-{person}",
            "userId": f"{account}-new-{number}-{person}",
            "event": "Event 1",
            "context": {"groupId": account},
        }
        for person in range(NEW_PEOPLE)
    ]
    headers = {"Authorization": f"Bearer {tenant.write_key}"}
    client.post("/v1/batch", content=orjson.dumps({"batch": calls}), headers=headers)
    return time.monotonic()


def _hears_of(lines: Iterator[str], account: str, give_up_at: float) -> bool:
    """Wait for a message about an account; the lines that keep the stream open end the wait."""
    for line in lines:
        if line.startswith("data: ") and f'"{account}"' in line:
            return True
        if time.monotonic() > give_up_at:
            break
    return False


def _open_pages(rig: Rig, tenant: Tenant, port: int, pages: int, stack: ExitStack) -> None:
    """Open the streams of pages, as many browsers as that needs."""
    for number in range(pages):
        if number % MOST_OF_SESSION == 0:
            with sign_in(rig, tenant, port, f"page{number}") as client:
                cookies = "; ".join(f"{key}={value}" for key, value in client.cookies.items())
        opened = stack.enter_context(socket.create_connection((HOST, port)))
        head = f"Host: {HOST}\r\nAccept: text/event-stream\r\nCookie: {cookies}"
        opened.sendall(f"GET /live HTTP/1.1\r\n{head}\r\n\r\n".encode())
        if not opened.recv(1000).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("A page could not follow the changes.")


def _processor_share(rig: Rig, tenant: Tenant, roots: list[int], sizes: Sizes) -> float:
    """Return the processor time of service and database a second, with a change each second."""
    used = processor_seconds(roots)
    for _ in range(sizes.seconds):
        with transaction(rig.sessions) as session:
            record_changes(session, tenant.id, [NewChange("score", "a0", {})], now=now())
        time.sleep(1)
    return (processor_seconds(roots) - used) / sizes.seconds
