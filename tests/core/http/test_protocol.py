"""Limits on connections and heads, on a real server with small limits."""

import socket
from contextlib import closing

import pytest

from app.core.http.protocol import MAX_PIPELINED
from app.core.http.refusals import MAX_HEAD_BYTES, MAX_HEADERS
from tests.core.http.conftest import Connect, Serve, read_all

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"


def ask(connect: Connect) -> bytes:
    """Send a complete request on a new connection; return the status line."""
    with closing(connect()) as connection:
        connection.sendall(GET)
        return connection.recv(12)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nx: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n",
        b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: 1\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 10 * MAX_HEAD_BYTES,  # has no end
    ],
    ids=["large header", "long URL", "many headers", "endless header"],
)
def test_a_large_head_is_431(serve: Serve, head: bytes) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(head)
        status, problem = read_all(connection)

    assert (status, problem["code"]) == (431, "head_too_large")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET /?\xff HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n12",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        b"GET / HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n",
    ],
    ids=[
        *("path", "query", "method", "TLS", "header", "lengths", "smuggling", "chunk", "no host"),
        *("two hosts", "two hosts of HTTP/1.0"),
    ],
)
def test_what_is_no_http_is_400(serve: Serve, request_: bytes) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(request_)
        status, problem = read_all(connection)

    assert (status, problem["code"]) == (400, "invalid_http")


def test_a_request_of_http_1_0_needs_no_host(serve: Serve) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"


@pytest.mark.parametrize(
    "endless",
    [
        b"0\r\n" + b"x: y\r\n" * MAX_HEAD_BYTES,
        b"0\r\nx: " + b"a" * 10 * MAX_HEAD_BYTES,
        b"2;" + b"a" * 10 * MAX_HEAD_BYTES,
    ],
    ids=["trailers", "one trailer", "chunk extension"],
)
def test_what_stands_between_parts_of_a_body_is_limited(serve: Serve, endless: bytes) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(CHUNKED + endless)
        status, problem = read_all(connection)

    assert (status, problem["code"]) == (431, "head_too_large")


def test_small_chunks_of_a_large_body_are_no_large_head(serve: Serve) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(CHUNKED + b"1\r\n \r\n" * MAX_HEAD_BYTES + b"0\r\nx: y\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_a_trailer_is_no_header(serve: Serve) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(
            CHUNKED.replace(b"POST / ", b"POST /headers ") + b"0\r\nauthorization: x\r\n\r\n"
        )
        received = b""
        while not received.endswith(b"host,transfer-encoding"):
            part = connection.recv(65536)
            assert part, received
            received += part


def flood(connection: socket.socket) -> None:
    """Send requests without waiting for an answer, then read until the connection is closed."""
    connection.sendall(GET * MAX_PIPELINED * 1000)
    while connection.recv(65536):
        pass


def test_endless_pipelined_requests_are_ended(serve: Serve) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(GET * (MAX_PIPELINED // 2))
        received = b""
        while received.count(b"200 OK") < MAX_PIPELINED // 2:
            received += connection.recv(65536)
    with closing(connect()) as connection, pytest.raises(ConnectionError):
        flood(connection)


def test_the_largest_heads_are_read_also_behind_a_body(serve: Serve) -> None:
    connect = serve()
    headers = (b"x: " + b"a" * 290 + b"\r\n") * (MAX_HEADERS - 1)
    large = GET.removesuffix(b"\r\n") + headers + b"\r\n"
    with closing(connect()) as connection:
        connection.sendall(POST % b"/" + b"0123456789" + large)
        received = b""
        while received.count(b"200 OK") < 2:
            part = connection.recv(65536)
            assert part, received
            received += part


def test_a_slow_head_is_ended_and_a_silent_connection_is_closed(serve: Serve) -> None:
    connect = serve()
    with closing(connect()) as slow, closing(connect()) as silent:
        slow.sendall(GET[:10])

        status, problem = read_all(slow)

        assert (status, problem["code"]) == (408, "head_too_slow")
        assert read_all(silent) == (0, {})


def test_the_head_of_a_second_request_has_the_same_deadline(serve: Serve) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(GET)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        connection.sendall(GET[:10])
        received = b""
        while part := connection.recv(65536):
            received += part

    assert b"HTTP/1.1 408" in received


@pytest.mark.parametrize(
    ("limit", "status", "code"),
    [("max_per_address", 429, "too_many_connections"), ("max_total", 503, "overloaded")],
)
def test_one_connection_too_many_is_refused(
    serve: Serve, limit: str, status: int, code: str
) -> None:
    connect = serve(**{limit: 2})
    with closing(connect()) as first, closing(connect()) as second, closing(connect()) as third:
        assert [read_all(third)[0], read_all(first)[0], read_all(second)[0]] == [status, 0, 0]
        # closed connections make room
    with closing(connect()) as first, closing(connect()), closing(connect()) as third:
        assert read_all(third)[1]["code"] == code
        first.close()
    assert ask(connect) == b"HTTP/1.1 200"


def test_who_waits_longest_makes_room_for_others(serve: Serve) -> None:
    connect = serve(max_waiting=3)
    waiting = [connect() for _ in range(5)]
    for connection in waiting:
        connection.sendall(POST % b"/" + b"0")

    refused = [read_all(connection)[0] for connection in waiting[:2]]

    assert refused == [503, 503]
    assert ask(connect) == b"HTTP/1.1 200"
    waiting[4].sendall(b"123456789")
    assert waiting[4].recv(12) == b"HTTP/1.1 200"
    for connection in waiting:
        connection.close()


def test_who_waits_longest_makes_room_for_the_bodies_of_others(serve: Serve) -> None:
    """Two bodies of 5,000 bytes fit into 12,000."""
    connect = serve(max_waiting_bytes=12_000)
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5010\r\n\r\n"
    waiting = [connect() for _ in range(4)]
    for connection in waiting:
        connection.sendall(head + b"0" * 5000)

    refused = [read_all(connection)[0] for connection in waiting[:2]]

    assert refused == [503, 503]
    for connection in waiting[2:]:
        connection.sendall(b"0123456789")
        assert connection.recv(12) == b"HTTP/1.1 200"
    for connection in waiting:
        connection.close()


def test_a_slow_body_with_a_valid_key_keeps_its_place(serve: Serve) -> None:
    connect = serve(max_waiting=1)
    with closing(connect()) as trusted:
        trusted.sendall(POST.replace(b"host", b"expect: 100-continue\r\nhost") % b"/trusted")
        assert trusted.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"  # from here on the body is read
        for _ in range(3):
            assert ask(connect) == b"HTTP/1.1 200"
        trusted.sendall(b"0123456789")

        assert b"HTTP/1.1 200" in trusted.recv(65536)


def test_the_rest_of_a_body_does_not_hold_an_answered_connection(serve: Serve) -> None:
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(POST % b"/early" + b"0")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        received = b""
        while part := connection.recv(65536):
            received += part
        assert received.endswith(b"ok")
    with closing(connect()) as connection:  # the rest arrives in time: the connection stays
        connection.sendall(POST % b"/early" + b"0")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        connection.sendall(b"123456789" + GET)
        received = b""
        while b"200 OK" not in received:
            part = connection.recv(65536)
            assert part, received
            received += part
