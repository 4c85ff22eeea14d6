"""A TCP proxy in front of the database, which cuts connections or lets nothing through."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import URL, make_url

from bench.rig.client import HOST

CHUNK = 65_536


@dataclass
class Proxy:
    """Forwards from a port to the socket file ``target``, which may change."""

    target: str
    port: int = 0
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def cut(self) -> None:
        """Cut all connections; new ones are accepted."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def silence(self) -> None:
        """Let nothing pass; connections stay open, as if the network were lost."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def resume(self) -> None:
        """Let everything pass again."""
        self._loop.call_soon_threadsafe(self._passing.set)

    def _abort_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_unix_connection(self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, upstream[1]}
        self._writers |= pair
        with suppress(asyncio.CancelledError):  # at the end of the proxy
            await asyncio.gather(self._pump(reader, upstream[1]), self._pump(upstream[0], writer))
        self._writers -= pair

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()
        writer.transport.close()


def socket_of(url: str | URL) -> str:
    """Return the socket file of the database server at a URL."""
    return f"{make_url(url).query['host']}/.s.PGSQL.5432"


@contextmanager
def forwarding(target: str) -> Iterator[Proxy]:
    """Run a proxy in a thread of its own."""
    proxy = Proxy(target)
    loop = proxy._loop  # noqa: SLF001 - the proxy runs nowhere else
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(proxy._serve, HOST, 0)  # noqa: SLF001

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    proxy.resume()
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(server.close)
        proxy.cut()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        with asyncio.Runner(loop_factory=lambda: loop):
            """Leaving the runner cancels what still runs, and closes the loop."""
