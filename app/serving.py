"""Start the processes of the service, hold them together, and stop them in order."""

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from prometheus_client import start_http_server
from pydantic import SecretStr
from sqlalchemy import Engine

from app.core import metrics, parent_process
from app.core.clock import shifted_clock
from app.core.db import SessionFactory, create_session_factory
from app.core.encryption import load_or_create_key
from app.core.errors import UnprocessableError
from app.core.logs import get_logger
from app.core.postgres import migrations
from app.core.postgres.engines import COMMAND_TIMEOUT_SECONDS, open_engine
from app.core.settings import Settings
from app.probes import ServiceCollector

log = get_logger()

RESTART_SECONDS = 1.0
DRAIN_SECONDS = 10
BACKLOG = 128
"""How many connections may wait to be accepted: thousands that come at once are taken by and by."""


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yield the URL of the database: the configured one, else the embedded one, migrated."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    # An API process beside a configured database starts without what runs a server.
    from app.core.postgres.embedded_postgres import EmbeddedPostgres  # noqa: PLC0415

    with EmbeddedPostgres(settings.data_dir) as server:
        server.watch()
        with engine_to(settings, server.url) as engine:
            migrations.upgrade(engine)
        yield server.url


class PortTakenError(UnprocessableError):
    """The port is in use, or binding to it is not permitted."""


class NoKeyError(UnprocessableError):
    """A database is configured without an encryption key, so secrets could not be stored."""


def with_key(settings: Settings) -> Settings:
    """Return settings with an encryption key; the embedded database has one beside it."""
    if settings.encryption_key is not None:
        return settings
    if not settings.embedded_database:
        raise NoKeyError(
            "HEALTH_ENCRYPTION_KEY is not set. Set it to the output of: openssl rand -base64 32"
        )
    key = SecretStr(load_or_create_key(settings.data_dir))
    return settings.model_copy(update={"encryption_key": key})


@contextmanager
def engine_to(
    settings: Settings,
    url: str,
    *,
    pool_size: int = 2,
    statement_timeout_seconds: float = COMMAND_TIMEOUT_SECONDS,
) -> Iterator[Engine]:
    """Open the engine of a command or a worker, whose statements may take long."""
    engine = open_engine(
        url,
        pool_size=pool_size,
        statement_timeout_seconds=statement_timeout_seconds,
        prepared_statements=settings.prepared_statements,
    )
    try:
        yield engine
    finally:
        engine.dispose()


def web_address(settings: Settings) -> str:
    """Return the address of the API for people: an IPv6 address stands in brackets."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def expect_free_ports(settings: Settings) -> None:
    """Raise ``PortTakenError`` if a port cannot be used, before long work is done for it."""
    expect_free_port(settings.host, settings.port, "HEALTH_PORT")
    if settings.metrics_port is not None:
        expect_free_port(settings.host, settings.metrics_port, "HEALTH_METRICS_PORT")


def expect_free_port(host: str, port: int, setting: str) -> None:
    """Raise ``PortTakenError`` if a port cannot be used."""
    try:
        kind, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise PortTakenError(
            f"{host} is no address of this machine ({error.strerror}): set HEALTH_HOST to"
            " an IP address or a host name."
        ) from None
    with socket.socket(kind) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(address)
        except OSError as error:
            advice = f"{setting} to another port"
            if error.errno == errno.EADDRNOTAVAIL:
                advice = "HEALTH_HOST to an address of this machine"
            raise PortTakenError(
                f"{host}:{port} cannot be served ({error.strerror}): set {advice}."
            ) from None


@contextmanager
def metrics_server(settings: Settings, sessions: SessionFactory) -> Iterator[None]:
    """Serve the metrics at a port of their own, if there is one, in a thread of this process.

    A child process has none: its parent adds up the metrics of all of them.
    """
    if settings.metrics_port is None or parent_process.is_child():
        yield
        return
    expect_free_port(settings.host, settings.metrics_port, "HEALTH_METRICS_PORT")
    collector = ServiceCollector(sessions, shifted_clock(settings.clock_offset_seconds))
    server, _ = start_http_server(
        settings.metrics_port, settings.host, registry=metrics.create_registry(collector)
    )
    try:
        yield
    finally:
        server.shutdown()


def serve(settings: Settings, url: str, *, app: str = "app.asgi:create") -> None:
    """Serve HTTP until it is stopped, with a worker beside it if the settings ask for one."""
    set_environment(settings, url)
    if settings.workers > 1:
        os.environ.update(parent_process.child_environment())
    with (
        engine_to(settings, url, pool_size=1) as engine,
        metrics_server(settings, create_session_factory(engine)),
        worker_process(enabled=settings.runs_worker),
    ):
        uvicorn.run(
            app,
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers if settings.workers > 1 else None,
            loop="uvloop",
            http="app.core.http.protocol:BoundedProtocol",
            log_level="warning",
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )


def set_environment(settings: Settings, url: str) -> None:
    """Set the environment variables with which child processes find the database and the key."""
    key = with_key(settings).encryption_key
    os.environ["HEALTH_ENCRYPTION_KEY"] = key.get_secret_value() if key else ""
    os.environ["HEALTH_DATABASE_URL"] = url


@contextmanager
def worker_process(*, enabled: bool) -> Iterator[None]:
    """Run a worker in a process of its own; restart it when it ends."""
    if not enabled:
        yield
        return
    stopping = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep_running() -> None:
        while not stopping.is_set():
            command = [sys.executable, "-m", "app", "worker"]
            environment = parent_process.child_environment()
            try:
                process = subprocess.Popen(command, env=environment)  # noqa: S603
            except OSError as error:  # no memory or process is left
                log.error("worker_not_started", error=str(error))  # noqa: TRY400 - it is no bug
                stopping.wait(RESTART_SECONDS)
                continue
            running[:] = [process]
            status = process.wait()
            if not stopping.is_set():
                log.error("worker_ended", pid=process.pid, status=status)
            stopping.wait(RESTART_SECONDS)

    thread = threading.Thread(target=keep_running, name="worker-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        for process in running:
            process.terminate()
        thread.join(DRAIN_SECONDS)
