"""Nothing acknowledged is lost and nothing counts twice, whichever process is killed."""

import os
import signal
import socket

import pytest

from tests.servers.processes import Service, Tenant, eventually
from tests.servers.writers import RequestLog, concurrent_writers, make_batch

REFUSALS = {"storage_unavailable", "outcome_unknown", "overloaded"}


def assert_nothing_is_lost_or_doubled(tenant: Tenant, log: RequestLog) -> None:
    """Compare with the log; then resend what was not acknowledged and compare again."""
    stored = tenant.stored()
    assert log.ids(acknowledged=True) <= stored <= log.ids(acknowledged=False)
    assert tenant.counted() == len(stored)

    log.resend_unacknowledged(tenant)

    assert tenant.stored() == log.ids(acknowledged=True) == log.ids(acknowledged=False)
    assert tenant.counted() == len(log.ids(acknowledged=False))


@pytest.mark.parametrize("batches_before", [5, 40])
def test_a_killed_server_keeps_what_it_acknowledged(
    service: Service, tenant: Tenant, batches_before: int
) -> None:
    with concurrent_writers(tenant, writers=4) as log:
        eventually(lambda: len(log.acknowledged) >= batches_before)
        assert service.end(signal.SIGKILL) == -signal.SIGKILL
        service.start()
        acknowledged = len(log.acknowledged)
        eventually(lambda: len(log.acknowledged) >= acknowledged + batches_before)

    assert log.statuses[0] > 0
    assert_nothing_is_lost_or_doubled(tenant, log)


def test_a_killed_database_restarts_by_itself_and_clients_get_retry_after(
    service: Service, tenant: Tenant
) -> None:
    with concurrent_writers(tenant, writers=4) as log:
        eventually(lambda: len(log.acknowledged) >= 20)
        killed = service.postmaster()
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: log.statuses[503])
        acknowledged = len(log.acknowledged)
        eventually(lambda: len(log.acknowledged) >= acknowledged + 20)

    assert service.postmaster() != killed
    assert set(log.statuses) == {200, 503}
    for refusal in log.refusals:
        assert refusal.headers["content-type"] == "application/problem+json"
        assert refusal.json()["code"] in REFUSALS
        assert 1 <= int(refusal.headers["retry-after"]) <= 30
    assert_nothing_is_lost_or_doubled(tenant, log)


def test_a_stopping_server_finishes_running_requests(service: Service, tenant: Tenant) -> None:
    with tenant.client() as client:
        request = client.build_request("POST", "/v1/batch", json={"batch": make_batch(0, 0)})
    body = request.read()
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tenant.key}\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=120) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:50])
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        eventually(lambda: refuses_connections(service))
        assert service.process.poll() is None

        connection.sendall(body[50:])
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert service.process.wait(30) == 0
    assert not (service.folder / "postgres" / "postmaster.pid").exists()
    service.start()
    assert len(tenant.stored()) == tenant.counted() == len(make_batch(0, 0))


def refuses_connections(service: Service) -> bool:
    try:
        socket.create_connection(("127.0.0.1", service.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False
