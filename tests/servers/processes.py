"""The service as a separate process, with helpers to start, kill and inspect it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.postgres.embedded_postgres import EmbeddedPostgres
from app.core.postgres.engines import open_engine
from tests import factories

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 240.0


def eventually(condition: Callable[[], object], *, within: float = PATIENCE_SECONDS) -> None:
    """Poll a condition until it is true; fail after the deadline."""
    give_up_at = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up_at, f"The condition was not true within {within} s."
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Service:
    """``customer-health serve`` with the embedded database in ``folder``."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HEALTH_")},
            "HEALTH_DATA_DIR": str(self.folder),
            "HEALTH_PORT": str(self.port),
            "HEALTH_LOG_LEVEL": "warning",
            "HEALTH_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            eventually(self.is_ready)
        except AssertionError:
            self.process.terminate()
            raise

    def is_ready(self) -> bool:
        """Return whether requests are served. A process that ended by itself is a failure."""
        assert self.process is None or self.process.poll() is None, self.log()
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health/ready", timeout=60).status_code == 200
        return False

    def log(self) -> str:
        return (self.folder / "serve.log").read_text()[-4000:]

    def ensure_running(self) -> None:
        if self.process is None or self.process.poll() is not None:
            self.start()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the process, wait for its end and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def postmaster(self) -> int:
        """Return the process id of the embedded database."""
        lines = (self.folder / "postgres" / "postmaster.pid").read_text().splitlines()
        return int(lines[0])

    @contextmanager
    def database(self) -> Iterator[Session]:
        engine: Engine = open_engine(EmbeddedPostgres(self.folder).url, pool_size=1)
        try:
            with Session(engine) as session:
                yield session
        finally:
            engine.dispose()

    def workspace(self) -> "Tenant":
        """Create a new workspace with a key."""
        with self.database() as session:
            owner = factories.workspace(session, f"w{uuid4().hex[:12]}")
            key = factories.api_key(session, owner)
            session.commit()
            return Tenant(self, owner.id, key)


@dataclass(frozen=True)
class Tenant:
    """A workspace in the running service, with access to its stored rows."""

    service: Service
    workspace_id: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.service.url, headers=self.headers, timeout=120)

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        with self.service.database() as session:
            rows = session.execute(text(sql), {"workspace_id": self.workspace_id})
            return [tuple(row) for row in rows]

    def stored(self) -> set[str]:
        """Return the stored message ids; each must be stored once."""
        rows = self.read(
            "SELECT message_id FROM event WHERE workspace_id = :workspace_id UNION ALL"
            " SELECT message_id FROM unattributed_event WHERE workspace_id = :workspace_id"
        )
        ids = [row[0] for row in rows]
        assert len(ids) == len(set(ids))
        return set(ids)

    def counted(self) -> int:
        [[total]] = self.read(
            "SELECT coalesce(sum(events), 0) FROM daily_usage WHERE workspace_id = :workspace_id"
        )
        return int(total)
