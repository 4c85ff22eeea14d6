"""An HTTP client over raw sockets in a process of its own, which costs the service little."""

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
from multiprocessing.context import ForkProcess

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 20
OK = 200

FORK = get_context("fork")  # a forked process needs no copy of the requests


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """What to send. ``rate``: requests a second, at fixed times; None: as fast as answers come."""

    port: int
    requests: Sequence[bytes]
    connections: int = 8
    rate: float | None = None
    max_seconds: float = 300


@dataclass(frozen=True, slots=True)
class Response:
    """``request``: its position in the plan. ``status``: 0 if there was no answer."""

    request: int
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """The responses to the requests of a plan, and how long all of them took."""

    responses: Sequence[Response]
    seconds: float

    @property
    def succeeded(self) -> list[int]:
        """The positions of the requests that were answered with 200."""
        return [response.request for response in self.responses if response.status == OK]

    @property
    def failures(self) -> int:
        return len(self.responses) - len(self.succeeded)

    def require_success(self) -> "Run":
        """Return the run unchanged; raise if a request failed."""
        if self.failures:
            raise RuntimeError(f"{self.failures} of {len(self.responses)} requests failed.")
        return self

    @property
    def per_second(self) -> float:
        return len(self.succeeded) / self.seconds

    def milliseconds(self, share: float) -> float:
        return percentile([response.seconds for response in self.responses], share) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, which is one of the values; NaN without values."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)] if values else math.nan


def post(path: str, key: str, body: bytes, *, content_type: str = "application/json") -> bytes:
    """Return the bytes of a POST request with a JSON body."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
    return (
        f"{head}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


def get(path: str, key: str = "") -> bytes:
    """Return the bytes of a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


class HttpConnection:
    """A keep-alive connection that is opened again after an error."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and body of the answer; status 0 if there was none."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection((HOST, self._port), TIMEOUT_SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(request)
            return _receive_answer(self._socket)
        except OSError:
            self.close()
            return 0, b""

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _receive_answer(connection: socket.socket) -> tuple[int, bytes]:
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _receive(connection)
    head = received[:end].lower()
    _, _, rest = head.partition(b"\r\ncontent-length:")
    length = int(rest.split(b"\r\n", 1)[0] or b"0")
    while len(received) < end + 4 + length:
        received += _receive(connection)
    return int(head[9:12]), received[end + 4 :]


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionResetError
    return chunk


@dataclass
class _Driver:
    """Sends the requests of a plan in turn, one thread for each connection."""

    plan: RequestPlan
    responses: list[Response] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)
    started: float = field(default_factory=time.perf_counter)

    def run(self) -> Run:
        threads = [threading.Thread(target=self._drive) for _ in range(self.plan.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Run(self.responses, time.perf_counter() - self.started)

    def _drive(self) -> None:
        connection = HttpConnection(self.plan.port)
        while (number := next(self.numbers)) < len(self.plan.requests) and not self._is_late():
            began = self._wait_for_turn(number)
            status, _ = connection.send(self.plan.requests[number])
            self.responses.append(Response(number, status, time.perf_counter() - began))
        connection.close()

    def _wait_for_turn(self, number: int) -> float:
        """Wait until the time to send a request and return that time.

        Latency counts from this time, so that a client that is late does not hide a slow service.
        """
        if self.plan.rate is None:
            return time.perf_counter()
        due = self.started + number / self.plan.rate
        with suppress(ValueError):
            time.sleep(due - time.perf_counter())
        return due

    def _is_late(self) -> bool:
        return time.perf_counter() - self.started > self.plan.max_seconds


@dataclass(frozen=True, slots=True)
class RunningClient:
    """A client process that is sending the requests of a plan."""

    process: ForkProcess
    results: Connection

    def result(self) -> Run:
        """Wait for the responses to all requests that were sent."""
        run: Run = self.results.recv()
        self.results.close()
        self.process.join()
        return run


def start(plan: RequestPlan) -> RunningClient:
    """Start to send the requests of a plan."""
    results, output = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_run_child, args=(plan, output), daemon=True)
    process.start()
    output.close()
    return RunningClient(process, results)


def drive(plan: RequestPlan) -> Run:
    """Send the requests of a plan and wait for all responses."""
    return start(plan).result()


def _run_child(plan: RequestPlan, output: Connection) -> None:
    output.send(_Driver(plan).run())
