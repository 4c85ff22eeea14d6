"""Many clients at once: the same batch, the same accounts, and clients that never finish."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse

import httpx
import pytest

from app.core.http.request_checks import BODY_TIMEOUT_SECONDS
from tests.servers.processes import Service, Tenant
from tests.servers.writers import concurrent_writers, make_batch

CLIENTS = 16


def test_the_same_batch_from_sixteen_clients_at_once_is_stored_once(tenant: Tenant) -> None:
    same, answers, start = make_batch(0, 0, events=200), [], threading.Barrier(CLIENTS)

    def post() -> None:
        with tenant.client() as client:
            start.wait()
            answers.append(client.post("/v1/batch", json={"batch": same}))

    threads = [threading.Thread(target=post) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [200] * CLIENTS
    receipts = [answer.json() for answer in answers]
    assert sum(receipt["accepted"] for receipt in receipts) == 200
    assert sum(receipt["duplicates"] for receipt in receipts) == 200 * (CLIENTS - 1)
    assert len(tenant.stored()) == tenant.counted() == 200


def test_writers_on_the_same_accounts_leave_exact_totals(tenant: Tenant) -> None:
    with concurrent_writers(tenant, writers=8, batches=30) as log:
        pass

    assert log.statuses == {200: 8 * 30}
    sent = [event for events in log.sent.values() for event in events]
    assert tenant.stored() == {event["messageId"] for event in sent}
    rows = tenant.read(
        "SELECT account_id, user_id, event_name, sum(events)::int FROM daily_usage"
        " WHERE workspace_id = :workspace_id GROUP BY 1, 2, 3"
    )
    by_hand = Counter((e["context"]["groupId"], e["userId"], e["event"]) for e in sent)
    assert {row[:3]: row[3] for row in rows} == by_hand
    reached = tenant.read(
        "SELECT DISTINCT account_id, end_customer_id FROM daily_reach"
        " WHERE workspace_id = :workspace_id"
    )
    assert set(reached) == {
        (e["context"]["groupId"], e["properties"]["end_customer_id"]) for e in sent
    }


@contextmanager
def drip_feed(service: Service, *headers: str) -> Iterator[socket.socket]:
    """Send the head of a request and the first byte of its body, and keep the connection open."""
    head = "\r\n".join(("POST /v1/batch HTTP/1.1", "Host: x", "Content-Length: 1000", *headers))
    with socket.create_connection(("127.0.0.1", service.port), timeout=120) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n{")
        yield connection


def refusal(connection: socket.socket) -> tuple[int, str]:
    """Wait for the error response; return its status and code."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())["code"]


def test_a_wrong_key_is_refused_without_waiting_for_the_body(
    service: Service, tenant: Tenant
) -> None:
    with drip_feed(service, "Authorization: Bearer nonsense") as wrong:
        assert refusal(wrong) == (401, "invalid_write_key"), (
            "a server that waits for the body answers 408"
        )
    with drip_feed(service, f"Authorization: Bearer {tenant.key}") as right:
        right.settimeout(0.5)
        with pytest.raises(TimeoutError):
            right.recv(65536)


def test_slow_clients_without_a_key_get_an_error_and_block_nobody(
    service: Service, tenant: Tenant
) -> None:
    """There are many more slow clients than database connections."""
    with ExitStack() as stack, tenant.client() as client:
        dripping = [stack.enter_context(drip_feed(service)) for _ in range(40)]
        for number in range(10):
            answer: httpx.Response = client.post(
                "/v1/batch", json={"batch": make_batch(0, number)}, timeout=BODY_TIMEOUT_SECONDS - 1
            )
            assert answer.status_code == 200
        refusals = {refusal(connection) for connection in dripping}

    assert refusals == {(408, "body_too_slow")}
    assert len(tenant.stored()) == 200
