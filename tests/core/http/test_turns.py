"""Connections without a valid key take turns; those that have shown one do not wait for them."""

import asyncio
import socket
from contextlib import closing
from functools import partial
from select import select

import pytest

from app.core.http.turns import Turns
from tests.core.http.conftest import Serve
from tests.core.http.test_protocol import GET, POST

NEVER = 3600.0
TRUSTED = GET.replace(b"GET / ", b"GET /trusted ")


def test_addresses_take_turns_and_useless_turns_are_skipped() -> None:
    given: list[str] = []
    done = asyncio.Event()

    def turn(name: str, *, is_useful: bool = True) -> bool:
        given.append(name)
        if len(given) == 5:
            done.set()
        return is_useful

    async def take() -> None:
        turns = Turns(0)
        turns.take("a", partial(turn, "a1"))
        assert given == ["a1"]  # nobody waits: at once
        for name in ("a2", "a3", "b1", "c1"):
            turns.take(name[0], partial(turn, name, is_useful=name != "b1"))
        assert given == ["a1"]
        await done.wait()

    asyncio.run(take())

    assert given == ["a1", "a2", "b1", "c1", "a3"]


def exchange(connection: socket.socket, request: bytes) -> None:
    """Send a request and read its whole answer."""
    connection.sendall(request)
    received = b""
    while not received.endswith(b"ok"):
        part = connection.recv(65536)
        assert part, received
        received += part


def test_a_connection_with_a_valid_key_does_not_wait_for_those_without(serve: Serve) -> None:
    connect = serve(turn_seconds=NEVER)
    with closing(connect()) as trusted, closing(connect()) as other:
        exchange(trusted, TRUSTED)  # takes the only turn
        other.sendall(GET)
        for _ in range(20):
            exchange(trusted, GET)

        assert select([other], [], [], 0) == ([], [], [])


def test_the_rest_of_a_huge_body_without_a_valid_key_is_not_read(serve: Serve) -> None:
    connect = serve(turn_seconds=0.1)
    with closing(connect()) as connection:
        connection.sendall(POST.replace(b"10", b"1000000000") % b"/early")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        with pytest.raises(ConnectionError):
            connection.sendall(bytes(200_000_000))
