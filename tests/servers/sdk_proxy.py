"""A proxy between an SDK and the service that refuses requests, or keeps answers to itself."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers.processes import Service


@dataclass
class ProxyLog:
    """``requests``: the number received. ``answered``: the statuses that the service returned."""

    url: str = ""
    requests: int = 0
    answered: list[int] = field(default_factory=list)


@contextmanager
def proxy(
    service: Service, *, refuse: int = 0, hang_up: int = 0, status: int = 503
) -> Iterator[ProxyLog]:
    """Run a proxy that refuses the first requests, or forwards them without an answer."""
    seen = ProxyLog()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.requests += 1
            number = seen.requests
            if number <= refuse:
                self._answer(status, b"{}")
                return
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            connection.request("POST", self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            seen.answered.append(answer.status)
            if number <= hang_up:
                self.close_connection = True
                return
            self._answer(answer.status, content)

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
