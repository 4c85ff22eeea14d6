"""A relay before the database that cuts a connection while its transaction is committed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from tests.faults.proxy import socket_of

COMMIT = b"COMMIT\x00"
"""The end of a message to the server."""


class Relay:
    """Passes bytes on between clients and the server.

    ``cuts``: how many more connections end when the ``marker`` is sent. ``delivers``: whether the
    server gets it first, and answers; only the answer is lost then.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = f"{url.partition('?')[0]}?host={quote(str(folder))}"
        self.server = socket_of(url)
        self.cuts, self.delivers, self.marker = 0, True, COMMIT
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(socket_of(self.url))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    @contextmanager
    def before(cls, url: str, folder: Path) -> Iterator["Relay"]:
        """Yield a relay before the server of a URL; ``url`` is its own."""
        relay = cls(url, folder)
        with relay.listener:
            yield relay
            _end(relay.listener)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Pass requests on; another thread passes the answers."""
        lost = threading.Event()
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            answers = threading.Thread(target=_pass_answers, args=(client, server, lost))
            answers.start()
            with suppress(OSError):
                while data := client.recv(65536):
                    if self.cuts and self.marker in data:
                        self.cuts -= 1
                        lost.set()
                        if not self.delivers:
                            break
                    server.sendall(data)
            _end(server)
            answers.join()


def _pass_answers(client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
    with suppress(OSError):
        while data := server.recv(65536):
            if lost.is_set():
                break
            client.sendall(data)
    _end(client)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
