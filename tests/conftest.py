import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from app.core import migrations
from app.core.db import Sessions, open_engine
from app.core.embedded import EmbeddedPostgres
from app.core.settings import Settings
from app.main import Storage, create_app
from tests import factories

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the run, a database for each worker."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with EmbeddedPostgres(Path(shared) / "db") as server:
        admin = create_engine(
            server.url.replace("postgresql://", "postgresql+psycopg://"),
            isolation_level="AUTOCOMMIT",
        )
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        yield server.url.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=20)
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Iterator[Sessions]:
    """Sessions whose outer transaction never commits."""
    with engine.connect() as connection:
        outer = connection.begin()
        yield sessionmaker(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        outer.rollback()


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    with sessions() as session:
        yield session


@pytest.fixture
def client(sessions: Sessions, session: Session) -> Iterator[TestClient]:
    """A client that holds a key with every scope for the workspace ``acme``, at NOW."""
    key = factories.key(session, factories.workspace(session))
    session.commit()
    app = create_app(Storage(sessions, sessions), Settings(_env_file=None), lambda: NOW)
    with TestClient(
        app, headers={"Authorization": f"Bearer {key}"}, raise_server_exceptions=False
    ) as client:
        yield client
