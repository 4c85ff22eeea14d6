"""A closed- or open-loop HTTP client over raw sockets, in a process of its own: it is cheap."""

import math
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Protocol

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 20
RETRY_SECONDS = 0.1
OK = 200

FORK = get_context("fork")  # the requests need no copying then


class Running(Protocol):
    """A run under way."""

    def stop(self) -> None: ...
    def result(self) -> "Run": ...


@dataclass(frozen=True, slots=True)
class Plan:
    """``rate``: requests a second, at fixed times (else each connection sends when it is free).

    ``retry``: repeat a request until it is answered with 200, as the SDKs do.
    """

    port: int
    requests: Sequence[bytes]
    connections: int = 8
    rate: float | None = None
    retry: bool = False
    most_seconds: float = 300


@dataclass(frozen=True, slots=True)
class Answer:
    request: int
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    answers: Sequence[Answer]
    seconds: float

    @property
    def answered(self) -> list[int]:
        """The numbers of the requests that were answered with 200."""
        return [answer.request for answer in self.answers if answer.status == OK]

    def all_answered(self) -> "Run":
        """Return it as it is; raise where a request failed."""
        if failed := len(self.answers) - len(self.answered):
            raise RuntimeError(f"{failed} requests failed.")
        return self

    @property
    def per_second(self) -> float:
        return len(self.answered) / self.seconds

    def milliseconds(self, share: float) -> float:
        return percentile([answer.seconds for answer in self.answers], share) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)] if values else math.nan


def post(path: str, key: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
    return (
        f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def get(path: str, key: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


class Line:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body; status 0 where there was no answer."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection((HOST, self._port), TIMEOUT_SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(request)
            return _answer(self._socket)
        except OSError:
            self.close()
            return 0, b""

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head = received[:end].lower()
    _, _, rest = head.partition(b"\r\ncontent-length:")
    length = int(rest.split(b"\r\n", 1)[0] or b"0")
    while len(received) < end + 4 + length:
        received += _more(connection)
    return int(head[9:12]), received[end + 4 :]


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionResetError
    return chunk


@dataclass
class _Driver:
    plan: Plan
    stopping: Event
    answers: list[Answer] = field(default_factory=list)
    turn: "count[int]" = field(default_factory=count)
    started: float = field(default_factory=time.perf_counter)

    def run(self) -> Run:
        threads = [threading.Thread(target=self._drive) for _ in range(self.plan.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Run(self.answers, time.perf_counter() - self.started)

    def _drive(self) -> None:
        line = Line(self.plan.port)
        while (number := next(self.turn)) < len(self.plan.requests) and not self._over():
            began = self._wait_for(number)
            status, _ = line.ask(self.plan.requests[number])
            while self.plan.retry and status != OK and not self._late():
                time.sleep(RETRY_SECONDS)
                status, _ = line.ask(self.plan.requests[number])
            self.answers.append(Answer(number, status, time.perf_counter() - began))
        line.close()

    def _wait_for(self, number: int) -> float:
        """Return when the request was to be sent: a late client does not flatter the service."""
        if self.plan.rate is None:
            return time.perf_counter()
        due = self.started + number / self.plan.rate
        with suppress(ValueError):
            time.sleep(due - time.perf_counter())
        return due

    def _over(self) -> bool:
        return self.stopping.is_set() or self._late()

    def _late(self) -> bool:
        return time.perf_counter() - self.started > self.plan.most_seconds


def start(plan: Plan) -> Running:
    stopping = FORK.Event()
    mine, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_child, args=(plan, stopping, theirs), daemon=True)
    process.start()
    theirs.close()

    class Handle:
        def stop(self) -> None:
            stopping.set()

        def result(self) -> Run:
            found: Run = mine.recv()
            process.join()
            return found

    return Handle()


def drive(plan: Plan) -> Run:
    return start(plan).result()


def _child(plan: Plan, stopping: Event, out: Connection) -> None:
    out.send(_Driver(plan, stopping).run())
