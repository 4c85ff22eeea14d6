"""A receiver on this machine with the behaviour that a test sets; it records all requests."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def http_response(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """``respond``: returns the response to a request, or a function that handles the connection."""

    respond: Callable[[ReceivedRequest], bytes | Callable[[socket.socket], None]] = lambda _: OK
    received: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def drip(self, connection: socket.socket) -> None:
        """Send one byte after the other until the client closes the connection."""
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
            while not self.ending.wait(0.02):
                connection.sendall(b"z")

    def hang(self, _: socket.socket) -> None:
        self.ending.wait()


def _handler(receiver: Receiver) -> type[StreamRequestHandler]:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            receiver.connections += 1
            with suppress(OSError):
                while line := self.rfile.readline().decode():
                    self.exchange(line.split(" ")[1])

        def exchange(self, path: str) -> None:
            headers = {}
            while line := self.rfile.readline().decode().strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", 0)))
            request = ReceivedRequest(path, headers, body)
            receiver.received.append(request)
            response = receiver.respond(request)
            if callable(response):
                response(self.connection)
            else:
                self.wfile.write(response)

    return Handler


class _Server(ThreadingTCPServer):
    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        return (
            self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
        ), address

    allow_reuse_address = True
    request_queue_size = 128


@contextmanager
def running_receiver(
    receiver: Receiver, *, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    with _Server(("127.0.0.1", 0), _handler(receiver)) as server:
        server.tls = tls
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ending.set()
            server.shutdown()
