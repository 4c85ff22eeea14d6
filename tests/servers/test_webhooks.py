"""Messages reach their receivers at least once, whichever process dies."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from app.webhooks import outbox
from app.webhooks.outbox import NewMessage
from tests.servers.processes import Service, Tenant, eventually
from tests.webhooks.receiver import OK, ReceivedRequest, Receiver, running_receiver

MESSAGES, KILLS = 120, 3
DATA = {"version": 2, "previous_version": 1}
EXPIRE_LEASES = "UPDATE delivery SET due_at = now() WHERE token IS NOT NULL AND workspace_id = :w"
"""Has the effect of the end of all leases."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A slow receiver, so that deliveries are always in flight."""

    def respond(_: ReceivedRequest) -> bytes:
        slow.ending.wait(0.02)
        return OK

    slow = Receiver(respond)
    with running_receiver(slow):
        yield slow


def create_endpoint(tenant: Tenant, url: str) -> str:
    with tenant.client() as client:
        response = client.post("/api/v1/webhook-endpoints", json={"url": url})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def publish(tenant: Tenant, count: int) -> list[str]:
    messages = [NewMessage("scorecard.activated", DATA)] * count
    with tenant.service.database() as session:
        ids = outbox.publish(session, tenant.workspace_id, messages, now=datetime.now(UTC))
        session.commit()
    return ids


def worker_of(service: Service) -> int:
    """Wait for the worker process of the service and return its process id."""
    assert service.process is not None
    tasks = Path(f"/proc/{service.process.pid}/task")

    def workers() -> list[int]:
        lists = [path.read_text().split() for path in tasks.glob("*/children")]
        ids = [int(each) for children in lists for each in children]
        return [each for each in ids if b"worker" in Path(f"/proc/{each}/cmdline").read_bytes()]

    eventually(workers)
    return workers()[0]


def expire_leases(tenant: Tenant) -> None:
    with tenant.service.database() as session:
        session.execute(text(EXPIRE_LEASES), {"w": tenant.workspace_id})
        session.commit()


def has_received(receiver: Receiver, count: int) -> bool:
    return len(receiver.received) >= count


def states(tenant: Tenant) -> set[tuple[str, bool]]:
    rows = tenant.read(
        "SELECT DISTINCT state, token IS NOT NULL FROM delivery WHERE workspace_id = :workspace_id"
    )
    return {(state, claimed) for state, claimed in rows}


def test_a_killed_worker_loses_no_message(
    service: Service, tenant: Tenant, receiver: Receiver
) -> None:
    create_endpoint(tenant, receiver.url)
    ids = publish(tenant, MESSAGES)

    for kill in range(KILLS):
        enough = 15 * (kill + 1)
        eventually(partial(has_received, receiver, enough))
        os.kill(worker_of(service), signal.SIGKILL)
        expire_leases(tenant)

    def is_done() -> bool:
        expire_leases(tenant)
        return states(tenant) == {("delivered", False)}

    eventually(is_done)

    ids_received = [each.headers["webhook-id"] for each in receiver.received]
    bodies = {(each.headers["webhook-id"], each.body) for each in receiver.received}
    assert set(ids_received) == set(ids)
    assert len(bodies) == MESSAGES, "a repeated delivery has the same body"
    [[recorded]] = tenant.read(
        "SELECT count(*) FROM attempt WHERE workspace_id = :workspace_id AND status = 200"
    )
    assert recorded == MESSAGES


def test_a_stopping_worker_releases_its_claims(service: Service, tenant: Tenant) -> None:
    with running_receiver(Receiver()) as hanging:
        hanging.respond = lambda _: hanging.hang
        create_endpoint(tenant, hanging.url)
        publish(tenant, 1)
        eventually(lambda: hanging.received)

        os.kill(worker_of(service), signal.SIGTERM)
        eventually(lambda: len(hanging.received) >= 2)

    sent = {each.headers["webhook-id"] for each in hanging.received}
    assert len(sent) == 1
