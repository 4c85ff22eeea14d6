"""Exchanges with receivers, each with an end: no redirects, no proxies, nothing unpacked."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

import h11
import httpx

from app.webhooks.address_policy import AddressDeniedError
from app.webhooks.connector import ConnectFailedError, Connector, HttpOrigin, NameUnresolvedError

DEADLINE_SECONDS = 20.0
MAX_RESPONSE_BYTES, MAX_STORED_CHARACTERS = 4096, 1024
KEEP_ALIVE_SECONDS = 10.0

ERRORS: Mapping[type[Exception], str] = {
    TimeoutError: "timeout",
    AddressDeniedError: "address_denied",
    NameUnresolvedError: "name_unresolved",
    ConnectFailedError: "connect_failed",
    OSError: "connection_broken",
    h11.RemoteProtocolError: "protocol_error",
}


@dataclass(frozen=True, slots=True)
class HttpOutcome:
    """What came back. ``error`` says why there is no status; ``response`` is its beginning."""

    milliseconds: int
    status: int | None = None
    error: str | None = None
    response: str = ""
    retry_after: str | None = None

    @property
    def worked(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004


@dataclass
class HttpConnection:
    """A connection, and what HTTP/1.1 makes of its bytes."""

    reader: StreamReader
    writer: StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    keep_alive_until: float = 0

    @property
    def is_alive(self) -> bool:
        """Whether it can be used again: the receiver has said nothing since, and not closed it."""
        quiet = not self.reader.at_eof() and not self.writer.is_closing()
        return quiet and monotonic() < self.keep_alive_until

    def keep(self) -> bool:
        """Get ready for the next exchange, if both sides are through with this one."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        self.keep_alive_until = monotonic() + KEEP_ALIVE_SECONDS
        return True

    def close(self) -> None:
        self.writer.transport.abort()

    async def exchange(self, request: h11.Request, body: bytes) -> tuple[h11.Response, bytes]:
        """Send a request; return the response with the beginning of its body."""
        parts = (request, h11.Data(data=body), h11.EndOfMessage())
        self.writer.writelines([self.http.send(part) or b"" for part in parts])
        await self.writer.drain()
        while not isinstance(response := await self._next(), h11.Response):
            pass  # what comes before it only informs
        start = bytearray()
        while len(start) < MAX_RESPONSE_BYTES:  # of a longer one the rest is not read
            event = await self._next()
            if not isinstance(event, h11.Data):
                break
            start += event.data
        return response, bytes(start)

    async def _next(self) -> object:
        while (event := self.http.next_event()) is h11.NEED_DATA:
            data = await self.reader.read(65536)
            if not data and self.http.their_state is h11.SEND_RESPONSE:
                raise ConnectionResetError
            self.http.receive_data(data)
        return event


class HttpClient:
    """Keeps connections open for a while. To be used inside of one event loop."""

    def __init__(
        self,
        dialler: Connector,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._dialler, self._deadline_seconds = dialler, deadline_seconds
        self._tls = tls or httpx.create_ssl_context()
        self._kept: defaultdict[HttpOrigin, list[HttpConnection]] = defaultdict(list)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpOutcome:
        """Post a body. Whatever the receiver does, there is an outcome by the deadline."""
        started = monotonic()
        try:
            async with asyncio.timeout(self._deadline_seconds):
                response, start = await self._post(httpx.URL(url), headers, body)
        except tuple(ERRORS) as error:
            said = next(ERRORS[kind] for kind in ERRORS if isinstance(error, kind))
            return HttpOutcome(_milliseconds(started), error=said)
        wait = dict(response.headers).get(b"retry-after", b"").decode("latin-1")
        return HttpOutcome(
            _milliseconds(started), response.status_code, None, _text(start), wait or None
        )

    async def _post(
        self, url: httpx.URL, headers: Mapping[str, str], body: bytes
    ) -> tuple[h11.Response, bytes]:
        is_plain = url.scheme == "http"
        host, port = url.raw_host.decode(), url.port or (80 if is_plain else 443)
        origin = HttpOrigin(host, port, None if is_plain else self._tls)
        own = {"Host": url.netloc.decode(), "Content-Length": str(len(body))}
        request = h11.Request(
            method="POST", target=url.raw_path, headers=[*own.items(), *headers.items()]
        )
        connection = self._reused(origin) or HttpConnection(
            *await self._dialler.open_connection(origin)
        )
        try:
            answer = await connection.exchange(request, body)
        except BaseException:
            connection.close()
            raise
        if connection.keep():
            self._kept[origin].append(connection)
        else:
            connection.close()
        return answer

    def _reused(self, origin: HttpOrigin) -> HttpConnection | None:
        """Take the connection that was used last, if one is alive."""
        waiting = self._kept.pop(origin, [])
        alive = [each for each in waiting if each.is_alive]
        for each in waiting:
            if each not in alive:
                each.close()
        taken = alive.pop() if alive else None
        if alive:
            self._kept[origin] = alive
        return taken

    def close(self) -> None:
        for waiting in self._kept.values():
            for each in waiting:
                each.close()
        self._kept.clear()


def _milliseconds(started: float) -> int:
    return round((monotonic() - started) * 1000)


def _text(start: bytes) -> str:
    """Read what PostgreSQL can hold of the beginning of a response."""
    return start.decode("utf-8", "replace").replace("\x00", "�")[:MAX_STORED_CHARACTERS]
