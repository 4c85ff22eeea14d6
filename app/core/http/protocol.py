"""uvicorn's HTTP protocol with limits on connections and on the heads of requests.

The application sees a request only when its head is complete. What comes before, and what comes
after an answer, is bounded here.
"""

from asyncio import Transport
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from httptools import HttpRequestParser
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.core.errors import ProblemError, RetryLaterError
from app.core.http.refusals import (
    HEAD_SECONDS,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    HeadTooLargeError,
    HeadTooSlowError,
    InvalidHttpError,
    TooManyConnectionsError,
    answer_problem,
    raw_answer,
)
from app.core.http.turns import ReadInTurn, Turns

LINGER_SECONDS = 2.0
"""How long the rest of a body is read and dropped after the answer, so that the answer arrives."""

MAX_PIPELINED = 100
"""How many requests of a connection may wait for the answers to earlier ones."""

MAX_WAITING, MAX_WAITING_BYTES = 256, 24 * 1024 * 1024
"""How many connections of a process may wait for a head, or for a body without a valid key, and how
much of their bodies is held."""


@dataclass(slots=True)
class Connections:
    """The open connections of a process by address.

    ``waiting``: those that wait, the oldest first, with the bytes that they hold.
    """

    max_total: int
    max_per_address: int
    max_waiting: int = MAX_WAITING
    max_waiting_bytes: int = MAX_WAITING_BYTES
    by_address: Counter[str] = field(default_factory=Counter)
    waiting: dict["BoundedProtocol", int] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)

    def add(self, address: str) -> ProblemError | None:
        """Count a connection; return why it must be refused, or None."""
        self.by_address[address] += 1
        if self.by_address[address] > self.max_per_address:
            return TooManyConnectionsError()
        return RetryLaterError() if self.by_address.total() > self.max_total else None

    def remove(self, connection: "BoundedProtocol", address: str) -> None:
        self.waiting.pop(connection, None)
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]

    def wait(self, connection: "BoundedProtocol", held: int = 0) -> None:
        """Note a waiting connection. Those that have waited longest make room for it."""
        self.waiting[connection] = held
        while self._is_full():
            next(iter(self.waiting)).refuse(RetryLaterError())

    def _is_full(self) -> bool:
        if len(self.waiting) > self.max_waiting:
            return True
        return sum(self.waiting.values()) > self.max_waiting_bytes


class BoundedProtocol(HttpToolsProtocol):
    """One connection. The lifespan state of the application holds the ``Connections``.

    ``is_complete``: whether the request that was begun last has arrived whole.
    ``is_trusted``: whether it has a valid key. ``framing_bytes``: how much came since the last part
    of its body, which can only be the sizes of chunks and trailers.
    """

    parser: HttpRequestParser
    flow: ReadInTurn
    head_seconds, linger_seconds = HEAD_SECONDS, LINGER_SECONDS

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.others: Connections = self.app_state["connections"]
        self.in_head, self.is_complete, self.is_trusted = True, False, False
        self.is_refused = False
        self.head_bytes = self.framing_bytes = 0
        self.linger: Any = None
        self.head_timer: Any = None
        self.address = self.client[0] if self.client else ""
        self.flow = ReadInTurn(transport, self.others.turns, self.address)
        problem = self.others.add(self.address)
        if problem:
            self.refuse(problem)
            self.transport.close()
        else:
            self.head_timer = self.loop.call_later(self.head_seconds, self._end_slow_head)
            self.others.wait(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        self.others.remove(self, self.address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.flow.is_trusted:
            self.flow.pause_reading()
        if not self.is_refused:
            self._receive(data)
        if not self._is_busy():
            self.flow.resume_reading()

    def _receive(self, data: bytes) -> None:
        self.head_bytes += len(data)
        self.framing_bytes += len(data)
        super().data_received(data)
        if self.is_complete or self.is_refused or self.transport.is_closing():
            return
        if not self.is_trusted:
            self.others.wait(self, len(self.cycle.body) if self.cycle else 0)
        if not self.in_head:
            if self.framing_bytes > MAX_HEAD_BYTES:
                self.refuse(HeadTooLargeError())
            return
        if self.head_bytes > MAX_HEAD_BYTES:
            self.refuse(HeadTooLargeError())
        elif self.head_timer is None:
            self.head_timer = self.loop.call_later(self.head_seconds, self._end_slow_head)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.is_complete = False
        self.scope["trust"] = self._trust  # type: ignore[typeddict-unknown-key]

    def on_header(self, name: bytes, value: bytes) -> None:
        """Drop trailers: they are no headers of the request (RFC 9110, 6.5.1)."""
        if self.in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self.framing_bytes = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            self._end_pipeline()
        self.in_head = False
        self.framing_bytes = 0
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None
        problem = self._find_problem()
        if problem is None:
            super().on_headers_complete()
            return
        app, self.app = self.app, partial(answer_problem, problem)
        super().on_headers_complete()
        self.app = app

    def _find_problem(self) -> ProblemError | None:
        """Return what is wrong with the head; RFC 9112 (3.2) asks for 400 without one Host."""
        if self._is_head_too_large():
            return HeadTooLargeError()
        hosts = [name for name, _ in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            return InvalidHttpError("A request of HTTP/1.1 needs one header Host: send one.")
        return None

    def _end_pipeline(self) -> None:
        """Close the connection without an answer, which would be read as that of a request."""
        self.is_refused = True
        self.pipeline.clear()
        self.transport.abort()
        raise InvalidHttpError  # the parser ends: what it has read already holds more requests

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.in_head, self.is_complete, self.is_trusted = True, True, False
        self.head_bytes = 0
        self.others.waiting.pop(self, None)
        if self.linger is not None:
            self.linger.cancel()
            self.linger = None

    def on_response_complete(self) -> None:
        if self.cycle.response_complete:  # it is not that of a pipelined request
            self.cycle.body.clear()
        super().on_response_complete()
        if not self.is_complete and not self.in_head and not self.transport.is_closing():
            self.linger = self.loop.call_later(self.linger_seconds, self.transport.close)

    def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem unless an answer has begun; drop what still arrives."""
        self.others.waiting.pop(self, None)
        if self.is_refused or self.transport.is_closing():
            return
        self.is_refused = True
        self._stop_timers()
        self.linger = self.loop.call_later(self.linger_seconds, self.transport.close)
        if self.cycle is not None:
            self.cycle.body.clear()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(raw_answer(problem))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self.cycle is not None:
            self.cycle.disconnected = True  # what the application still sends is dropped
        self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that the parser refuses."""
        del msg  # uvicorn's own sentence says less
        self.refuse(InvalidHttpError())

    def _trust(self) -> None:
        self.is_trusted = True
        self.others.waiting.pop(self, None)
        self.flow.trust()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self.flow.is_trusted:
            super()._start_asgi_task(cycle, app)
        else:
            self.others.turns.take(self.address, partial(self._start, cycle, app))

    def _start(self, cycle: RequestResponseCycle, app: ASGI3Application) -> bool:
        if self.is_refused or self.transport.is_closing():
            return False
        super()._start_asgi_task(cycle, app)
        return True

    def _is_busy(self) -> bool:
        """Whether the application has yet to answer, or to take a part of the body, first."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or self.is_refused:
            return False
        return self.is_complete or cycle.message_event.is_set()

    def _end_slow_head(self) -> None:
        """Close the connection; without an answer if nothing was asked, as by some browsers."""
        if self.head_bytes:
            self.refuse(HeadTooSlowError())
        else:
            self.transport.close()

    def _is_head_too_large(self) -> bool:
        if len(self.headers) > MAX_HEADERS:
            return True
        # what came before may be the body of another request
        return self.head_bytes > MAX_HEAD_BYTES and (
            len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            > MAX_HEAD_BYTES
        )

    def _stop_timers(self) -> None:
        for timer in (self.head_timer, self.linger):
            if timer is not None:
                timer.cancel()
        self.head_timer = self.linger = None
