"""The HTTP client for receivers: deadline, no redirects, no proxies, no decompression."""

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

DISABLE, ABORT_MESSAGE = "disable", "abort-message"
"""What a receiver can order by the header ``webhook-delivery`` of its response."""

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
    """The result of one request.

    ``error``: why there is no status. ``response``: the beginning of the response body.
    ``retry_after``: the header of that name, unparsed. ``orders``: those of ``webhook-delivery``.
    """

    milliseconds: int
    status: int | None = None
    error: str | None = None
    response: str = ""
    retry_after: str | None = None
    orders: frozenset[str] = frozenset()

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def aborts_message(self) -> bool:
        """Whether the receiver refuses this message for good: then it works."""
        return not self.succeeded and ABORT_MESSAGE in self.orders


@dataclass
class HttpConnection:
    """A connection with its HTTP/1.1 state."""

    reader: StreamReader
    writer: StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    keep_alive_until: float = 0

    @property
    def is_reusable(self) -> bool:
        """Whether the connection is still open and its keep-alive time is not over."""
        is_open = not self.reader.at_eof() and not self.writer.is_closing()
        return is_open and monotonic() < self.keep_alive_until

    def prepare_reuse(self) -> bool:
        """Start the next request cycle. Return False if this cycle is incomplete."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        self.keep_alive_until = monotonic() + KEEP_ALIVE_SECONDS
        return True

    def close(self) -> None:
        self.writer.transport.abort()

    async def exchange(self, request: h11.Request, body: bytes) -> tuple[h11.Response, bytes]:
        """Send a request. Return the response and the first ``MAX_RESPONSE_BYTES`` of its body."""
        parts = (request, h11.Data(data=body), h11.EndOfMessage())
        self.writer.writelines([self.http.send(part) or b"" for part in parts])
        await self.writer.drain()
        while not isinstance(response := await self._next(), h11.Response):
            pass  # informational responses (1xx) come before the final one
        start = bytearray()
        while len(start) < MAX_RESPONSE_BYTES:  # the rest of a longer body is not read
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
    """Posts bodies and keeps idle connections open for a while. Bound to one event loop."""

    def __init__(
        self,
        connector: Connector,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._connector, self._deadline_seconds = connector, deadline_seconds
        self._tls = tls or httpx.create_ssl_context()
        self._idle: defaultdict[HttpOrigin, list[HttpConnection]] = defaultdict(list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpOutcome:
        """Post a body. Always return an outcome by the deadline, whatever the receiver does."""
        started = monotonic()
        try:
            async with asyncio.timeout(self._deadline_seconds):
                response, start = await self._post(httpx.URL(url), headers, body)
        except tuple(ERRORS) as error:
            code = next(ERRORS[kind] for kind in ERRORS if isinstance(error, kind))
            return HttpOutcome(_milliseconds_since(started), error=code)
        received = {name: value.decode("latin-1") for name, value in response.headers}
        orders = received.get(b"webhook-delivery", "").lower().split(",")
        return HttpOutcome(
            _milliseconds_since(started),
            response.status_code,
            response=_storable_text(start),
            retry_after=received.get(b"retry-after") or None,
            orders=frozenset(order.strip() for order in orders),
        )

    async def _post(
        self, url: httpx.URL, headers: Mapping[str, str], body: bytes
    ) -> tuple[h11.Response, bytes]:
        is_plain = url.scheme == "http"
        host, port = url.raw_host.decode(), url.port or (80 if is_plain else 443)
        origin = HttpOrigin(host, port, None if is_plain else self._tls)
        framing = {"Host": url.netloc.decode(), "Content-Length": str(len(body))}
        request = h11.Request(
            method="POST", target=url.raw_path, headers=[*framing.items(), *headers.items()]
        )
        connection = self._take_idle(origin)
        if connection is None:
            connection = HttpConnection(*await self._connector.open_connection(origin))
        try:
            response = await connection.exchange(request, body)
        except BaseException:
            connection.close()
            raise
        if connection.prepare_reuse():
            self._idle[origin].append(connection)
        else:
            connection.close()
        return response

    def _take_idle(self, origin: HttpOrigin) -> HttpConnection | None:
        """Return the idle connection that was used last; close those that cannot be reused."""
        idle = self._idle.pop(origin, [])
        reusable = [each for each in idle if each.is_reusable]
        for each in idle:
            if each not in reusable:
                each.close()
        connection = reusable.pop() if reusable else None
        if reusable:
            self._idle[origin] = reusable
        return connection

    def close(self) -> None:
        for connections in self._idle.values():
            for each in connections:
                each.close()
        self._idle.clear()


def _milliseconds_since(started: float) -> int:
    return round((monotonic() - started) * 1000)


def _storable_text(start: bytes) -> str:
    """Decode the beginning of a response to text that PostgreSQL can store."""
    return start.decode("utf-8", "replace").replace("\x00", "\ufffd")[:MAX_STORED_CHARACTERS]
