import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import settings
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from app.core import logs
from app.core.db import SessionFactory, create_session_factory
from app.core.postgres import migrations
from app.core.postgres.embedded_postgres import EmbeddedPostgres
from app.core.postgres.engines import open_engine
from app.core.settings import Settings
from app.main import Storage, attach, create_app
from tests import factories
from tests.query_watch import QueryWatch, watch_queries

ENCRYPTION_KEY = b64encode(b"k" * 32).decode()
NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
SETTINGS = Settings(_env_file=None, encryption_key=SecretStr(ENCRYPTION_KEY))
CreateDatabase = Callable[..., str]

# Before scikit-learn is loaded: threads of two test processes would wait for each other spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("tests", deadline=None, derandomize=True)  # the same on any machine
settings.load_profile("tests")
logs.configure("warning")  # as in production: rendering a traceback would take seconds


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--hostile", type=int, default=1, help="times as many hostile requests")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each run a folder of its own.

    pytest makes the folder of all runs private again when a run begins. For root, databases run as
    another user: the database of a run that is in progress would lose its files.
    """
    is_worker = hasattr(config, "workerinput")
    if not is_worker and config.option.basetemp is None:
        config.option.basetemp = mkdtemp(prefix="health-tests-")
        config.add_cleanup(partial(rmtree, config.option.basetemp, ignore_errors=True))


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CreateDatabase]:
    """Run one server; yield a function that creates a database and returns its URL."""
    base = tmp_path_factory.getbasetemp()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    shared = base if worker == "main" else base.parent
    with EmbeddedPostgres(Path(shared) / "db") as server:

        def create(name: str, template: str = "template1") -> str:
            with _administration(server.url) as run:
                run(f"DROP DATABASE IF EXISTS {worker}_{name} WITH (FORCE)")
                source = template if template == "template1" else f"{worker}_{template}"
                run(f"CREATE DATABASE {worker}_{name} TEMPLATE {source}")
            return server.url.replace("/postgres?", f"/{worker}_{name}?")

        yield create


@contextmanager
def _administration(url: str) -> Iterator[Callable[[str], object]]:
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        yield lambda statement: connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def migrated(databases: CreateDatabase) -> str:
    """Return the name of a migrated database without connections, to be used as a template."""
    engine = open_engine(databases("migrated"), pool_size=1)
    migrations.upgrade(engine)
    engine.dispose()
    return "migrated"


@pytest.fixture(scope="session")
def database_url(databases: CreateDatabase, migrated: str) -> str:
    return databases("tests", template=migrated)


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def watch() -> QueryWatch:
    return QueryWatch()


@pytest.fixture
def workspace_isolation(watch: QueryWatch) -> Iterator[None]:
    """Fail a test in which a statement of the app may read more than one workspace."""
    with watch_queries(watch):
        yield


@pytest.fixture
def committed(databases: CreateDatabase, migrated: str) -> Iterator[SessionFactory]:
    """Sessions that commit, in the test's own database: for tests with several transactions."""
    engine = open_engine(
        databases("committed", template=migrated), pool_size=8, statement_timeout_seconds=20
    )
    yield create_session_factory(engine)
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Iterator[SessionFactory]:
    """Sessions in an outer transaction that is rolled back after the test."""
    with engine.connect() as connection:
        outer = connection.begin()
        yield savepoints(connection)
        outer.rollback()


def savepoints(connection: Connection) -> SessionFactory:
    """Return sessions whose commits stay in the transaction of a connection."""
    return sessionmaker(
        connection, join_transaction_mode="create_savepoint", expire_on_commit=False
    )


@pytest.fixture
def session(sessions: SessionFactory) -> Iterator[Session]:
    with sessions() as session:
        yield session


@pytest.fixture
def quiet_logs() -> Iterator[None]:
    """Restore the log configuration, which a command changes for the process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@cache
def shared_app() -> FastAPI:
    """One app for the run: FastAPI builds each route at its first request."""
    unbound = sessionmaker[Session]()
    return create_app(Storage(unbound, unbound), Settings(_env_file=None), lambda: NOW)


@pytest.fixture(scope="session")
def app() -> FastAPI:
    return shared_app()


def attach_test_storage(app: FastAPI, sessions: SessionFactory) -> None:
    """Reset the app as for a new process, and let it use these sessions."""
    attach(app, Storage(sessions, sessions), SETTINGS, lambda: NOW)


@pytest.fixture(scope="session")
def running_app(app: FastAPI) -> Iterator[TestClient]:
    """The app after its start, with the event loop that the clients of all tests use."""
    with TestClient(app) as running:
        yield running


@pytest.fixture
def client(running_app: TestClient, sessions: SessionFactory, session: Session) -> TestClient:
    """A client with a key of all scopes for the workspace ``acme``; the time is NOW."""
    key = factories.api_key(session, factories.workspace(session))
    session.commit()
    attach_test_storage(shared_app(), sessions)
    return client_of(running_app, key)


def client_of(running_app: TestClient, key: str) -> TestClient:
    """Return a client for the same app with another key."""
    client = TestClient(
        running_app.app, headers={"Authorization": f"Bearer {key}"}, raise_server_exceptions=False
    )
    client.portal = running_app.portal
    return client
