"""When the Python client repeats a request: real connections, and waits that nobody waits for."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from customer_health import AsyncClient, Client, ConnectionLostError, Retries
from customer_health.errors import (
    ConflictError,
    IdempotencyKeyInUseError,
    RateLimitedError,
    ServiceUnavailableError,
)

from tests.webhooks.receiver import Receiver, http_response, running_receiver

Answer = bytes | Callable[[socket.socket], None]
Serve = Callable[..., "Service"]
DONE = http_response(200, b'{"id": "tsk_1"}', content_type="application/json")
BUSY = http_response(503, b"{}", retry_after="7")


def problem(status: int, code: str, **headers: str) -> bytes:
    return http_response(status, json.dumps({"code": code}).encode(), **headers)


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


class Service:
    """A server that gives the answers of a list, one for each request, and a client for it."""

    def __init__(self, receiver: Receiver, *answers: Answer, attempts: int = 5) -> None:
        left = list(answers)
        receiver.respond = lambda _: left.pop(0)
        self.received = receiver.received
        self.url = receiver.url.removesuffix("/hook")
        self.waits: list[float] = []
        self.api = Client(
            "hk_test", self.url, retries=Retries(attempts=attempts), sleep=self.waits.append
        )


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Return a function that starts a server with a list of answers."""
    with ExitStack() as stack:

        def start(*answers: Answer, attempts: int = 5) -> Service:
            receiver = stack.enter_context(running_receiver(Receiver()))
            service = Service(receiver, *answers, attempts=attempts)
            stack.callback(service.api.close)
            return service

        yield start


def test_a_busy_service_is_given_the_time_that_it_asks_for(serve: Serve) -> None:
    limited = problem(429, "rate_limited", retry_after="2")
    service = serve(BUSY, limited, DONE)
    task = service.api.create_task("acme", {"title": "Call"})

    assert task["id"] == "tsk_1"
    assert service.waits == [7, 2]
    keys = {each.headers["idempotency-key"] for each in service.received}
    assert len(service.received) == 3
    assert len(keys) == 1
    assert len({each.body for each in service.received}) == 1


def test_without_retry_after_the_waits_grow(serve: Serve) -> None:
    service = serve(*[http_response(503)] * 3, DONE)
    service.api.get_task("tsk_1")

    for wait, longest in zip(service.waits, [0.5, 1, 2], strict=True):
        assert longest / 2 <= wait <= longest


def test_a_date_of_a_proxy_is_read_too(serve: Serve) -> None:
    past = http_response(503, b"<html>", retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    service = serve(past, DONE)
    service.api.get_task("tsk_1")

    assert service.waits == [0]


def test_it_ends_after_the_last_attempt_with_the_problem(serve: Serve) -> None:
    service = serve(BUSY, problem(429, "rate_limited"), attempts=2)
    with pytest.raises(RateLimitedError) as last:
        service.api.get_task("tsk_1")

    assert (service.waits, last.value.retry_after) == ([7], None)


def test_a_time_that_is_too_long_is_an_error_at_once(serve: Serve) -> None:
    service = serve(http_response(503, b"<html>", retry_after="3600"))
    with pytest.raises(ServiceUnavailableError) as away:
        service.api.get_task("tsk_1")

    assert (service.waits, away.value.retry_after, away.value.detail) == ([], 3600, "<html>")


def test_after_a_lost_connection_reads_and_posts_with_a_key_are_repeated(
    serve: Serve,
) -> None:
    service = serve(hang_up, DONE, hang_up, DONE)
    service.api.get_task("tsk_1")
    service.api.create_task("acme", {"title": "Call"})

    assert len(service.received) == 4
    assert service.received[2].headers == service.received[3].headers


def test_after_a_lost_connection_other_requests_are_not_repeated(serve: Serve) -> None:
    calls: list[Callable[[Client], object]] = [
        lambda api: api.put_account("acme", {"name": "Acme"}),
        lambda api: api.delete_task("tsk_1"),
        lambda api: api.ingest_events({"event": "Export"}),
    ]
    service = serve(*[hang_up] * 3)
    for call in calls:
        with pytest.raises(ConnectionLostError, match="no answer"):
            call(service.api)

    assert (len(service.received), service.waits) == (3, [])


def test_a_request_that_never_left_is_repeated_whatever_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    waits: list[float] = []
    url = f"http://127.0.0.1:{port}"

    with (
        Client("hk_test", url, sleep=waits.append) as api,
        pytest.raises(ConnectionLostError),
    ):
        api.put_account("acme", {"name": "Acme"})
    assert len(waits) == 4


def test_a_key_that_is_in_use_is_tried_again_and_another_conflict_is_not(
    serve: Serve,
) -> None:
    in_use = problem(409, "idempotency_key_in_use", retry_after="1")
    service = serve(in_use, DONE, in_use, problem(409, "wrong_state"), attempts=2)
    service.api.create_task("acme", {"title": "Call"})
    with pytest.raises(ConflictError) as conflict:
        service.api.create_task("acme", {"title": "Call"})

    assert service.waits == [1, 1]
    assert not isinstance(conflict.value, IdempotencyKeyInUseError)


def test_the_asynchronous_client_waits_and_repeats_in_the_same_way(serve: Serve) -> None:
    waits: list[float] = []

    async def record(seconds: float) -> None:
        waits.append(seconds)

    async def create(url: str) -> None:
        async with AsyncClient("hk_test", url, sleep=record) as api:
            await api.create_task("acme", {"title": "Call"})

    service = serve(BUSY, hang_up, DONE)
    asyncio.run(create(service.url))

    assert waits[0] == 7
    assert len({each.headers["idempotency-key"] for each in service.received}) == 1
    assert len(service.received) == 3
