"""When the database is lost, the answer is "nothing was stored" only if that is known."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.postgres.engines import open_engine
from app.main import Storage, attach, create_app
from tests import factories
from tests.conftest import NOW, SETTINGS, CreateDatabase
from tests.cut_connections import COMMIT, Relay
from tests.events.calls import NATIVE

FIELDS = {"name": "Renewals", "filter": {"segment": "enterprise"}}
EVENT = {"event": "Export", "account_id": "a1", "user_id": "u1", "message_id": "m1"}
WORDS = "may have been stored"


def put_segment(client: TestClient) -> Any:  # noqa: ANN401 - the client's own type of an answer
    return client.put("/api/v1/segments/renewals", json=FIELDS)


def train(client: TestClient) -> Any:  # noqa: ANN401 - the client's own type of an answer
    return client.post("/api/v1/churn-models")


def receive(client: TestClient, marker: bytes) -> Any:  # noqa: ANN401 - the client's own type of an answer
    """Send an event. A new name needs a transaction; with known names one statement is enough."""
    return client.post(NATIVE, json={**EVENT, **({"event": "New"} if marker == COMMIT else {})})


@pytest.fixture
def direct(databases: CreateDatabase, migrated: str) -> Iterator[Engine]:
    """Connections to the same database that are never cut."""
    engine = open_engine(databases("cut", template=migrated), pool_size=2)
    yield engine
    engine.dispose()


@pytest.fixture
def relay(direct: Engine) -> Iterator[Relay]:
    url = direct.url.set(drivername="postgresql").render_as_string(hide_password=False)
    # the path of a socket is short
    with TemporaryDirectory(dir="/tmp") as folder, Relay.before(url, Path(folder)) as relay:
        yield relay


@pytest.fixture
def cut_client(direct: Engine, relay: Relay) -> Iterator[TestClient]:
    """A client of an app whose connections go through the relay."""
    with Session(direct) as session:
        key = factories.api_key(session, factories.workspace(session))
        session.commit()
    storage = Storage.open(relay.url, pool_size=4)
    app = create_app(storage, SETTINGS, lambda: NOW)
    attach(app, storage, SETTINGS, lambda: NOW)
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
        client.put("/api/v1/plans/warm-up", json={})  # a new connection commits by itself
        for message_id in ("stores the name", "loads the names"):
            client.post(NATIVE, json={**EVENT, "message_id": message_id})
        yield client
    for factory in (storage.sessions, storage.autocommit):
        factory.kw["bind"].dispose()


def count(direct: Engine, table: str) -> int:
    with direct.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")))  # noqa: S608


@pytest.mark.parametrize("request_and_table", [(put_segment, "saved_segment"), (train, "job")])
@pytest.mark.parametrize("delivers", [True, False])
def test_a_commit_without_an_answer_is_not_called_stored_nor_not_stored(
    cut_client: TestClient,
    relay: Relay,
    direct: Engine,
    request_and_table: tuple[Callable[[TestClient], Any], str],
    *,
    delivers: bool,
) -> None:
    send, table = request_and_table
    relay.cuts, relay.delivers = 1, delivers

    answer = send(cut_client)

    assert count(direct, table) == delivers
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    assert WORDS in answer.json()["detail"]
    assert "Idempotency-Key" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) >= 20


def test_a_connection_that_is_lost_before_the_commit_stored_nothing(
    cut_client: TestClient, relay: Relay, direct: Engine
) -> None:
    relay.cuts, relay.delivers, relay.marker = 1, True, b"INSERT INTO job"

    answer = train(cut_client)

    assert count(direct, "job") == 0
    assert answer.json()["code"] == "storage_unavailable"
    assert "nothing was stored" in answer.json()["detail"]


@pytest.mark.parametrize("marker", [COMMIT, b"INSERT INTO event"])
def test_events_whose_commit_has_no_answer_are_sent_again_and_counted_once(
    cut_client: TestClient, relay: Relay, direct: Engine, marker: bytes
) -> None:
    before = count(direct, "event")
    relay.cuts, relay.marker = 1, marker

    answer = receive(cut_client, marker)

    assert answer.status_code == 200, answer.text
    assert count(direct, "event") == before + 1


@pytest.mark.parametrize("marker", [COMMIT, b"INSERT INTO event"])
def test_events_whose_commits_never_have_an_answer_may_have_been_stored(
    cut_client: TestClient, relay: Relay, direct: Engine, marker: bytes
) -> None:
    before = count(direct, "event")
    relay.cuts, relay.marker = 100, marker

    answer = receive(cut_client, marker)

    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    assert count(direct, "event") == before + 1


def test_a_replay_that_is_lost_after_its_first_transaction_may_have_been_stored(
    cut_client: TestClient, relay: Relay
) -> None:
    cut_client.post(NATIVE, json={**EVENT, "timestamp": "yesterday"})
    [event] = cut_client.get("/api/v1/quarantine").json()["items"]
    body = {"ids": [event["id"]]}
    dry = cut_client.post("/api/v1/quarantine/replay", json={**body, "dry_run": True})
    assert dry.status_code == 200, dry.text
    relay.cuts, relay.delivers, relay.marker = 100, False, b"FOR UPDATE"

    answer = cut_client.post("/api/v1/quarantine/replay", json=body)

    assert answer.json()["code"] == "outcome_unknown"


def test_a_database_that_is_away_stored_nothing(cut_client: TestClient, relay: Relay) -> None:
    relay.cuts, relay.delivers, relay.marker = 100, False, b"\x00"

    answer = train(cut_client)

    assert answer.json()["code"] == "storage_unavailable"
