"""Receivers of webhooks on this machine: fast, slow, silent or dripping, in a thread."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network

from app.bench.client import HOST
from app.bench.server import NETWORK, Rig, Tenant, by_bench
from app.core.db import transaction
from app.core.encryption import Encryptor, load_or_create_key
from app.webhooks import service
from app.webhooks.schemas import WebhookEndpointIn
from app.webhooks.service import EndpointSecretStore

ANSWER = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Receiver:
    """``wait_seconds``: before it answers. ``drips``: it sends a byte now and then, for ever.

    ``heard`` is called with each body.
    """

    wait_seconds: float = 0
    drips: bool = False
    heard: Callable[[bytes], None] | None = None
    port: int = 0
    came: list[tuple[float, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/"

    @property
    def ids(self) -> list[str]:
        return [message_id for _, message_id in self.came]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
                body = await reader.readexactly(int(headers["content-length"]))
                if self.heard:
                    self.heard(body)
                self.came.append((time.time(), headers["webhook-id"]))
                await self.answer(writer)
        writer.close()

    async def answer(self, writer: asyncio.StreamWriter) -> None:
        if self.drips:
            writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
            while True:
                await asyncio.sleep(0.5)
                writer.write(b"z")
                await writer.drain()
        await asyncio.sleep(self.wait_seconds)
        writer.write(ANSWER)
        await writer.drain()


def aim(
    rig: Rig, owner: Tenant, receivers: Sequence[Receiver], *, types: Sequence[str] = ()
) -> None:
    """Make an endpoint for each receiver, sealed with the key that the service keeps."""
    desk = EndpointSecretStore(Encryptor.of(load_or_create_key(rig.folder)), [ip_network(NETWORK)])
    with transaction(rig.sessions) as session:
        for each in receivers:
            said = WebhookEndpointIn(url=each.url, types=list(types)).model_dump()
            service.create_endpoint(session, by_bench(owner.id), said, desk=desk)


@contextmanager
def listening(*receivers: Receiver) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start(receiver: Receiver) -> None:
        server = await asyncio.start_server(receiver.serve, HOST, 0, backlog=512)
        receiver.port = server.sockets[0].getsockname()[1]

    for receiver in receivers:
        asyncio.run_coroutine_threadsafe(start(receiver), loop).result()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        with asyncio.Runner(loop_factory=lambda: loop):
            """Leaving it cancels those that hang, and closes the loop."""
