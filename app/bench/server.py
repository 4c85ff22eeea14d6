"""A database and a service of their own in a temporary folder, for one benchmark."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, text

import app
from app.bench.client import HOST, OK, Line, get
from app.core import migrations, partitions
from app.core.db import SessionFactory, create_session_factory, open_engine, transaction
from app.core.embedded_postgres import EmbeddedPostgres
from app.workspaces import service as workspaces

READY_SECONDS = 120.0
STOP_SECONDS = 20.0
NETWORK = "127.0.0.0/8"
SERVE = ("-m", "app", "serve")


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    key_id: str
    write_key: str
    read_key: str


@dataclass(frozen=True, slots=True)
class Rig:
    """A migrated database; ``engine`` plans as the service's requests do."""

    folder: Path
    postgres: EmbeddedPostgres
    engine: Engine
    sessions: SessionFactory

    @property
    def environment(self) -> dict[str, str]:
        """With what processes of the service find the database; of ours they inherit the rest."""
        inherited = {name: value for name, value in os.environ.items() if "HEALTH_" not in name}
        return inherited | {
            "PYTHONPATH": str(Path(app.__path__[0]).parent),
            "HEALTH_DATA_DIR": str(self.folder),
            "HEALTH_LOG_LEVEL": "error",
            "HEALTH_WEBHOOK_ALLOWED_NETWORKS": NETWORK,
        }

    @property
    def postmaster(self) -> int | None:
        """The process id of the database server, as far as there is one."""
        try:
            return int((self.postgres.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def number(self, query: str, **values: object) -> int:
        with self.engine.begin() as connection:
            return int(connection.scalar(text(query), values) or 0)

    def run(self, *statements: str, **values: object) -> None:
        """Run statements, each in a transaction of its own."""
        for statement in statements:
            with self.engine.begin() as connection:
                connection.execute(text(statement), values)

    def maintain(self) -> None:
        """Leave nothing to be cleaned up while something is measured."""
        with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))


@contextmanager
def database() -> Iterator[Rig]:
    with (
        TemporaryDirectory(prefix="health-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedPostgres(Path(folder)) as postgres,
    ):
        engine = open_engine(postgres.url, pool_size=4, point_access=True)
        try:
            migrations.upgrade(engine)
            rig = Rig(Path(folder), postgres, engine, create_session_factory(engine))
            with transaction(rig.sessions) as session:
                partitions.create_upcoming(session, today=now().date())
            yield rig
        finally:
            engine.dispose()


def tenant(rig: Rig, name: str) -> Tenant:
    with transaction(rig.sessions) as session:
        made = workspaces.create_workspace(session, name, actor="bench", now=now())
        write, read = workspaces.create_write_and_read_key(session, by_bench(made.id))
        return Tenant(made.id, write.id, write.text, read.text)


def now() -> datetime:
    return datetime.now(UTC)


def by_bench(workspace_id: str) -> workspaces.Actor:
    return workspaces.Actor(workspace_id, "bench", now())


@dataclass(frozen=True, slots=True)
class Service:
    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill every process of the service, without a warning."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def service(
    rig: Rig, *, workers: int = 2, worker: bool = False, command: tuple[str, ...] = SERVE
) -> Iterator[Service]:
    started = start(rig, workers=workers, worker=worker, command=command)
    try:
        yield started
    finally:
        started.stop()


def start(
    rig: Rig,
    *,
    workers: int = 2,
    worker: bool = False,
    command: tuple[str, ...] = SERVE,
    port: int | None = None,
) -> Service:
    """Start the service as its users do, and wait until it is ready."""
    port = port or _free_port()
    own = {
        "HEALTH_PORT": str(port),
        "HEALTH_WORKERS": str(workers),
        "HEALTH_EMBED_WORKER": str(int(worker)),
    }
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *command],
        env=rig.environment | own,
        cwd=rig.folder,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    started = Service(port, process)
    try:
        wait_until_ready(started)
    except TimeoutError:
        started.kill()
        raise
    return started


def wait_until_ready(started: Service) -> None:
    line = Line(started.port)
    wait_until(lambda: line.ask(get("/health/ready"))[0] == OK)
    line.close()


def wait_until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while not holds():
        if time.monotonic() > give_up:
            raise TimeoutError("The service or its database did not become ready.")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])
