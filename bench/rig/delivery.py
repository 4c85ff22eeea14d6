"""Webhook deliveries of a benchmark: publish messages, run workers, wait for deliveries."""

import subprocess
import sys
from collections.abc import Sequence

from app.core.db import transaction
from app.webhooks import outbox
from app.webhooks.outbox import NewMessage
from bench.rig.receivers import Receiver, create_endpoints
from bench.rig.rig import Rig, create_tenant, now
from bench.rig.service import wait_until

BODY = {"version": 2, "previous_version": 1}

DELIVERIES = "SELECT count(*) FROM delivery WHERE workspace_id = :id"
DELIVERED = DELIVERIES + " AND state = 'delivered'"
ATTEMPTS = "SELECT count(*) FROM attempt WHERE workspace_id = :id"


def create_workspace(rig: Rig, name: str, receivers: Sequence[Receiver]) -> str:
    """Create a workspace with an endpoint for each receiver; return its id."""
    tenant = create_tenant(rig, name)
    create_endpoints(rig, tenant, receivers)
    return tenant.id


def publish(rig: Rig, workspace_id: str, count: int) -> list[str]:
    """Publish messages; return their ids."""
    messages = [NewMessage("scorecard.activated", BODY)] * count
    with transaction(rig.sessions) as session:
        return outbox.publish(session, workspace_id, messages, now=now())


def start_worker(rig: Rig) -> subprocess.Popen[bytes]:
    worker = subprocess.Popen([sys.executable, "-m", "app", "worker"], env=rig.environment)
    rig.cleanup.callback(worker.wait)
    rig.cleanup.callback(worker.kill)  # runs first, without effect on a worker that has ended
    return worker


def end(*workers: subprocess.Popen[bytes]) -> None:
    for worker in workers:
        worker.terminate()
        worker.wait()


def wait_for_requests(receiver: Receiver, count: int, worker: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: len(receiver.received) >= count, worker)


def wait_for_deliveries(
    rig: Rig, workspace_id: str, count: int, *workers: subprocess.Popen[bytes]
) -> None:
    wait_until(lambda: rig.number(DELIVERED, id=workspace_id) == count, *workers)
