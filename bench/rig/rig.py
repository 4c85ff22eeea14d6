"""The rig of a benchmark: a private database in a temporary folder, and services that use it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, text

import app
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.postgres import migrations, partitions
from app.core.postgres.embedded_postgres import EmbeddedPostgres
from app.core.postgres.engines import open_engine
from app.workspaces import service as workspaces
from bench.rig.service import SERVE, Service, start_service

NETWORK = "127.0.0.0/8"
"""Webhooks may be sent to this network, where the receivers of the benchmarks are."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace with the keys of its client."""

    id: str
    key_id: str
    write_key: str
    read_key: str


@dataclass(frozen=True, slots=True)
class Rig:
    """A migrated database. ``engine`` plans statements as the requests of the service do.

    ``cleanup``: what is still to be stopped at the end.
    """

    folder: Path
    postgres: EmbeddedPostgres
    engine: Engine
    sessions: SessionFactory
    cleanup: ExitStack
    _shared: dict[int, Service] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment with which processes of the service find this database."""
        inherited = {name: value for name, value in os.environ.items() if "HEALTH_" not in name}
        return inherited | {
            "PYTHONPATH": str(Path(app.__path__[0]).parent),
            "HEALTH_DATA_DIR": str(self.folder),
            "HEALTH_LOG_LEVEL": "error",
            "HEALTH_WEBHOOK_ALLOWED_NETWORKS": NETWORK,
        }

    @property
    def postmaster(self) -> int | None:
        """The process id of the database server; None while there is none."""
        try:
            return int((self.postgres.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def shared_service(self, *, workers: int) -> Service:
        """Return a service without a worker. It runs as long as the rig: its start takes seconds.

        It changes nothing by itself, so that the benchmarks of one rig can share it.
        """
        if workers not in self._shared:
            service = self.service(workers=workers, worker=False)
            self._shared[workers] = self.cleanup.enter_context(service)
        return self._shared[workers]

    @contextmanager
    def service(
        self, *, workers: int, worker: bool, command: tuple[str, ...] = SERVE
    ) -> Iterator[Service]:
        """Run a service in new processes."""
        service = start_service(
            self.folder, self.environment, workers=workers, worker=worker, command=command
        )
        try:
            yield service
        finally:
            service.stop()

    def number(self, query: str, **values: object) -> int:
        """Return the number that a query selects; 0 for null."""
        with self.engine.begin() as connection:
            return int(connection.scalar(text(query), values) or 0)

    def run(self, *statements: str, **values: object) -> None:
        """Run statements, each in a transaction of its own."""
        for statement in statements:
            with self.engine.begin() as connection:
                connection.execute(text(statement), values)

    def maintain(self) -> None:
        """Vacuum and checkpoint, so that the database does neither during a measurement."""
        with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))


@contextmanager
def open_rig(place: Path | None = None) -> Iterator[Rig]:
    """Start a private database with the current schema; stop it and its services at the end.

    ``place``: where its folder is created; None: with other temporary files.
    """
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                TemporaryDirectory(prefix="health-bench-", dir=place, ignore_cleanup_errors=True)
            )
        )
        postgres = stack.enter_context(EmbeddedPostgres(folder))
        engine = open_engine(postgres.url, pool_size=4, point_access=True)
        stack.callback(engine.dispose)
        migrations.upgrade(engine)
        cleanup = stack.enter_context(ExitStack())
        rig = Rig(folder, postgres, engine, create_session_factory(engine), cleanup)
        with transaction(rig.sessions) as session:
            partitions.create_upcoming(session, today=now().date())
        yield rig


def create_tenant(rig: Rig, name: str) -> Tenant:
    with transaction(rig.sessions) as session:
        workspace = workspaces.create_workspace(session, name, actor_name="bench", now=now())
        write, read = workspaces.create_write_and_read_key(session, bench_actor(workspace.id))
        return Tenant(workspace.id, write.id, write.text, read.text)


def now() -> datetime:
    return datetime.now(UTC)


def bench_actor(workspace_id: str) -> workspaces.Actor:
    return workspaces.Actor(workspace_id, "bench", now())
