"""A database that is read-only, as a replica after a failover, and writable again later."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from app.core.db import create_session_factory, transaction
from app.core.postgres.engines import open_engine
from app.main import Storage, create_app
from tests import factories
from tests.conftest import NOW, SETTINGS, CreateDatabase
from tests.events.calls import track

URL = "/api/v1/accounts/a1"
BATCH = {"batch": [track("m1")]}
END_OTHER_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = 'DB' AND pid <> pg_backend_pid()"
)


@pytest.fixture
def database(databases: CreateDatabase, migrated: str) -> str:
    return databases("read_only", template=migrated)


@pytest.fixture
def served(database: str) -> Iterator[TestClient]:
    engine = open_engine(database, pool_size=1)
    with transaction(create_session_factory(engine)) as session:
        key = factories.api_key(session, factories.workspace(session))
    engine.dispose()
    storage = Storage.open(database, pool_size=2)
    app = create_app(storage, SETTINGS, lambda: NOW)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client
    for sessions in (storage.sessions, storage.autocommit):
        sessions.kw["bind"].dispose()


def run(url: str, *statements: str) -> None:
    """Run statements about the database ``DB`` in a session that may write."""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        name = str(connection.scalar(text("SELECT current_database()")))
        for statement in statements:
            connection.execute(text(statement.replace("DB", name)))
    engine.dispose()


def post_events(client: TestClient) -> tuple[int, str | None]:
    answer = client.post("/v1/batch", json=BATCH)
    return answer.status_code, answer.headers.get("Retry-After")


def test_writes_are_503_reads_go_on_and_all_is_well_when_it_is_writable_again(
    database: str, served: TestClient
) -> None:
    assert served.put(URL, json={"name": "Acme"}).status_code == 200
    run(database, "ALTER DATABASE DB SET default_transaction_read_only = on", END_OTHER_SESSIONS)

    for _ in range(3):  # each connection of the pools finds out
        served.get(URL)
    status, retry_after = post_events(served)
    assert (status, int(retry_after or 0) >= 20) == (503, True)
    refused = served.put(URL, json={"name": "Other"})
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    assert served.get(URL).json()["name"] == "Acme"
    assert served.get("/health/ready").json()["checks"]["writes"] is False

    # the open sessions stay read-only, as after a failover
    run(database, "ALTER DATABASE DB SET default_transaction_read_only = off")
    assert [post_events(served)[0] for _ in range(3)][-1] == 200
    assert served.put(URL, json={"name": "Other"}).json()["name"] == "Other"
    assert served.get("/health/ready").status_code == 200


def test_the_service_is_not_ready_while_there_is_no_room_for_a_file(
    database: str, served: TestClient
) -> None:
    """A limit for temporary files refuses them as a full disk does."""
    assert served.get("/health/ready").status_code == 200
    run(database, "ALTER DATABASE DB SET temp_file_limit = 64", END_OTHER_SESSIONS)
    served.get("/health/ready")  # finds that its connection is closed

    answer = served.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": True,
        "migrations": True,
        "serving": True,
        "session_settings": True,
        "writes": False,
    }
