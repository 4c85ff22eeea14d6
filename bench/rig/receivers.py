"""Webhook receivers on this machine: fast, slow or hanging ones, served by a thread."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Protocol

from app.core.db import transaction
from app.core.encryption import Encryptor, load_or_create_key
from app.webhooks import service
from app.webhooks.schemas import WebhookEndpointIn
from app.webhooks.service import EndpointSecretStore
from bench.rig.client import HOST
from bench.rig.rig import NETWORK, Rig, Tenant, bench_actor

ANSWER = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
DRIP_SECONDS = 0.5


@dataclass
class Receiver:
    """A receiver that answers 204 after ``wait_seconds``.

    ``hang_seconds``: instead it closes the connection without an answer after this time.
    ``drips``: meanwhile it sends a byte of a header now and then. ``on_body`` gets each body.
    ``received``: time and message id of each request.
    """

    wait_seconds: float = 0
    hang_seconds: float | None = None
    drips: bool = False
    on_body: Callable[[bytes], None] | None = None
    port: int = 0
    received: list[tuple[float, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the requests of one connection."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
                body = await reader.readexactly(int(headers["content-length"]))
                if self.on_body:
                    self.on_body(body)
                self.received.append((time.time(), headers["webhook-id"]))
                await self._answer(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        if self.hang_seconds is not None:
            async with asyncio.timeout(self.hang_seconds):
                await self._hang(writer)
        await asyncio.sleep(self.wait_seconds)
        writer.write(ANSWER)
        await writer.drain()

    async def _hang(self, writer: asyncio.StreamWriter) -> None:
        if self.drips:
            writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while True:
            await asyncio.sleep(DRIP_SECONDS)
            if self.drips:
                writer.write(b"z")
                await writer.drain()


class HasUrl(Protocol):
    """A receiver of any kind."""

    @property
    def url(self) -> str: ...


def create_endpoints(
    rig: Rig, tenant: Tenant, receivers: Sequence[HasUrl], *, types: Sequence[str] = ()
) -> list[str]:
    """Create an endpoint for each receiver, encrypted with the key of the service.

    Return their signing secrets.
    """
    encryptor = Encryptor.from_base64(load_or_create_key(rig.folder))
    store = EndpointSecretStore(encryptor, [ip_network(NETWORK)])
    secrets = []
    with transaction(rig.sessions) as session:
        for receiver in receivers:
            body = WebhookEndpointIn(url=receiver.url, types=list(types)).model_dump()
            _, secret = service.create_endpoint(session, bench_actor(tenant.id), body, store=store)
            secrets.append(secret or "")
    return secrets


@contextmanager
def listening(*receivers: Receiver) -> Iterator[None]:
    """Serve the receivers, each on a port of its own, which it gets here."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start(receiver: Receiver) -> asyncio.Server:
        server = await asyncio.start_server(receiver.serve, HOST, 0, backlog=512)
        receiver.port = server.sockets[0].getsockname()[1]
        return server

    servers = [asyncio.run_coroutine_threadsafe(start(each), loop).result() for each in receivers]
    try:
        yield
    finally:
        for server in servers:
            loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        with asyncio.Runner(loop_factory=lambda: loop):
            """Leaving the runner cancels the requests that hang, and closes the loop."""
