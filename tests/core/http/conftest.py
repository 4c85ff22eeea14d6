"""A server with the protocol of the service and short times, and how tests speak to it."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread
from typing import Any

import orjson
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.core.errors import ProblemError
from app.core.http.protocol import BoundedProtocol, Connections
from app.core.http.turns import TURN_SECONDS, Turns

Connect = Callable[[], socket.socket]
Serve = Callable[..., Connect]


class ImpatientProtocol(BoundedProtocol):
    head_seconds, linger_seconds = 0.3, 0.3
    refused: asyncio.Event

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.refused = asyncio.Event()
        super().connection_made(transport)

    def refuse(self, problem: ProblemError) -> None:
        super().refuse(problem)
        self.refused.set()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer ``/early`` at once, ``/late`` once it is refused, all others after the body is read.

    ``/trusted`` and ``/late`` have a valid key.
    """
    if scope["path"] in {"/trusted", "/late"}:
        scope["trust"]()
    if scope["path"] == "/late":
        await scope["trust"].__self__.refused.wait()
    more = scope["path"] not in {"/early", "/late"}
    while more:
        message = await receive()
        more = message.get("more_body", False)
    body = b",".join(name for name, _ in scope["headers"]) if scope["path"] == "/headers" else b"ok"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server with limits and returns how to connect to it."""
    running: list[tuple[uvicorn.Server, Thread]] = []

    def start(
        *,
        max_total: int = 50,
        max_per_address: int = 50,
        max_waiting: int = 50,
        max_waiting_bytes: int = 10_000_000,
        turn_seconds: float = TURN_SECONDS,
    ) -> Connect:
        connections = Connections(max_total, max_per_address, max_waiting, max_waiting_bytes)
        connections.turns = Turns(turn_seconds)
        state = {"connections": connections}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await receive()
                scope["state"].update(state)
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await send({"type": "lifespan.shutdown.complete"})
            else:
                await answer(scope, receive, send)

        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, http=ImpatientProtocol, log_config=None, lifespan="on")
        )
        thread = Thread(target=partial(server.run, sockets=[listening]), daemon=True)
        thread.start()
        running.append((server, thread))
        return lambda: socket.create_connection(listening.getsockname(), timeout=10)

    yield start
    for server, thread in running:
        for each in [*server.server_state.connections]:
            each.loop.call_soon_threadsafe(each.transport.abort)
        server.should_exit = server.force_exit = True
        thread.join(10)


def read_all(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Read until the server closes; return the status and the problem, 0 if nothing was sent."""
    received = b""
    while part := connection.recv(65536):
        received += part
    if not received:
        return 0, {}
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), orjson.loads(body)
