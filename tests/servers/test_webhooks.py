"""Messages reach their receivers at least once, whatever dies and when."""

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
FREE = "UPDATE delivery SET due_at = now() WHERE token IS NOT NULL AND workspace_id = :w"
"""What the end of a lease does, at once."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One that takes its time, so that there is always something under way."""

    def say(_: ReceivedRequest) -> bytes:
        slow.ending.wait(0.02)
        return OK

    slow = Receiver(say)
    with running_receiver(slow):
        yield slow


def aim(tenant: Tenant, url: str) -> str:
    with tenant.client() as client:
        made = client.post("/api/v1/webhook-endpoints", json={"url": url})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def publish(tenant: Tenant, many: int) -> list[str]:
    told = [NewMessage("scorecard.activated", DATA)] * many
    with tenant.service.database() as session:
        ids = outbox.publish(session, tenant.workspace_id, told, now=datetime.now(UTC))
        session.commit()
    return ids


def worker_of(service: Service) -> int:
    """Tell the process id of the worker beside the service, once there is one."""
    assert service.process is not None
    tasks = Path(f"/proc/{service.process.pid}/task")

    def workers() -> list[int]:
        lists = [path.read_text().split() for path in tasks.glob("*/children")]
        found = [int(each) for children in lists for each in children]
        return [each for each in found if b"worker" in Path(f"/proc/{each}/cmdline").read_bytes()]

    eventually(workers)
    return workers()[0]


def free(tenant: Tenant) -> None:
    with tenant.service.database() as session:
        session.execute(text(FREE), {"w": tenant.workspace_id})
        session.commit()


def has_come(receiver: Receiver, many: int) -> bool:
    return len(receiver.received) >= many


def states(tenant: Tenant) -> set[tuple[str, bool]]:
    rows = tenant.read(
        "SELECT DISTINCT state, token IS NOT NULL FROM delivery WHERE workspace_id = :workspace_id"
    )
    return {(state, held) for state, held in rows}


def test_a_killed_worker_loses_no_message(
    service: Service, tenant: Tenant, receiver: Receiver
) -> None:
    aim(tenant, receiver.url)
    ids = publish(tenant, MESSAGES)

    for kill in range(KILLS):
        enough = 15 * (kill + 1)
        eventually(partial(has_come, receiver, enough))
        os.kill(worker_of(service), signal.SIGKILL)
        free(tenant)

    def is_done() -> bool:
        free(tenant)
        return states(tenant) == {("delivered", False)}

    eventually(is_done)

    came = [each.headers["webhook-id"] for each in receiver.received]
    bodies = {(each.headers["webhook-id"], each.body) for each in receiver.received}
    assert set(came) == set(ids)
    assert len(bodies) == MESSAGES, "a repeat says the same"
    [[settled]] = tenant.read(
        "SELECT count(*) FROM attempt WHERE workspace_id = :workspace_id AND status = 200"
    )
    assert settled == MESSAGES


def test_a_worker_that_is_told_to_stop_gives_back_what_it_holds(
    service: Service, tenant: Tenant
) -> None:
    with running_receiver(Receiver()) as hanging:
        hanging.respond = lambda _: hanging.hang
        aim(tenant, hanging.url)
        publish(tenant, 1)
        eventually(lambda: hanging.received)

        os.kill(worker_of(service), signal.SIGTERM)
        eventually(lambda: len(hanging.received) >= 2)

    sent = {each.headers["webhook-id"] for each in hanging.received}
    assert len(sent) == 1
