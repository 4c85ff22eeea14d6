"""Sources that fall silent and come back, and the accounts that live on them."""

from datetime import datetime, timedelta

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events import monitoring
from app.events.ingestion.queries import find_stale_accounts
from app.tables import IngestHour, Message, Source
from app.workspaces.keys import parse_key_id
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import track

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def key_of(client: TestClient) -> str:
    return parse_key_id(client.headers["Authorization"].removeprefix("Bearer ")) or ""


@pytest.fixture
def other_key(session: Session) -> str:
    return factories.api_key(session, factories.workspace(session))


@pytest.fixture
def usual(client: TestClient, session: Session) -> str:
    """A key that has sent something in every hour of the last ten days."""
    key = key_of(client)
    for hours in range(1, 240):
        hour = NOW - hours * HOUR
        session.add(
            IngestHour(
                workspace_id="acme",
                key_id=key,
                hour=hour,
                sdk="",
                code="",
                last_at=hour,
                received=1,
                accepted=1,
            )
        )
    session.commit()
    return key


def send(
    client: TestClient, sessions: SessionFactory, message_id: str, account_id: str, at: datetime
) -> None:
    event = track(message_id, timestamp=at.isoformat(), context={"groupId": account_id})
    with calls.client_at_time(sessions, client, at) as then:
        calls.ingest(then, event)


def listed(client: TestClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/api/v1/sources").json()["items"]
    return found


def zulu(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def told(session: Session) -> list[dict[str, object]]:
    """Return the messages of sources in their order, and forget them."""
    rows = session.scalars(select(Message).order_by(Message.created_at)).all()
    bodies = [orjson.loads(row.body) for row in rows]
    session.execute(delete(Message))
    session.commit()
    return bodies


def due(session: Session) -> list[tuple[object, ...]]:
    found = calls.text_rows(session, "SELECT account_id, priority, notify FROM due ORDER BY 1")
    session.execute(text("DELETE FROM due"))
    session.commit()
    return found


def test_a_source_that_falls_silent_makes_its_accounts_stale_and_due_silently(
    client: TestClient, sessions: SessionFactory, session: Session, usual: str
) -> None:
    send(client, sessions, "m1", "a1", NOW - 20 * DAY)
    send(client, sessions, "m2", "a2", NOW)
    send(client, sessions, "m0", "long ago", NOW - 40 * DAY)
    monitoring.watch_sources(sessions, now=NOW + 24 * HOUR)
    assert listed(client)[0]["state"] == "live"
    due(session)

    monitoring.watch_sources(sessions, now=NOW + 25 * HOUR)

    [said] = listed(client)
    assert (said["key_id"], said["state"], said["stale_accounts"]) == (usual, "silent", 2)
    assert (said["usual_gap_seconds"], said["allowed_gap_seconds"]) == (3600, 86400)
    assert said["silent_since"] == said["last_event_at"]
    assert find_stale_accounts(session, "acme", ["a1", "a2", "a3", "long ago"]) == {"a1", "a2"}
    assert find_stale_accounts(session, "other", ["a1", "a2"]) == set()
    assert due(session) == [("a1", 1, False), ("a2", 1, False)]
    monitoring.watch_sources(sessions, now=NOW + 26 * HOUR)
    assert due(session) == []


@pytest.mark.usefixtures("usual")
def test_a_source_that_comes_back_frees_its_accounts(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    send(client, sessions, "m1", "a1", NOW)
    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    due(session)

    send(client, sessions, "m2", "a2", NOW + 3 * DAY)
    monitoring.watch_sources(sessions, now=NOW + 3 * DAY)

    [said] = listed(client)
    assert (said["state"], said["stale_accounts"], said["silent_since"]) == ("live", 0, None)
    assert said["resumed_at"] == zulu(NOW + 3 * DAY)
    assert find_stale_accounts(session, "acme", ["a1"]) == set()
    assert ("a1", 1, False) in due(session)


def test_one_message_tells_that_a_source_stopped_and_one_that_it_resumed(
    client: TestClient, sessions: SessionFactory, session: Session, usual: str
) -> None:
    send(client, sessions, "m1", "a1", NOW)
    send(client, sessions, "m2", "a2", NOW)
    for hours in (24, 25, 26, 30):
        monitoring.watch_sources(sessions, now=NOW + hours * HOUR)

    at = zulu(NOW)
    silent = {
        "link": "/api/v1/sources",
        "key_id": usual,
        "silent_since": at,
        "last_event_at": at,
        "accounts": 2,
    }
    [stopped] = told(session)
    assert stopped["type"] == "data.stopped"
    assert stopped["timestamp"] == (NOW + 25 * HOUR).isoformat()
    assert stopped["data"] == silent

    send(client, sessions, "m3", "a2", NOW + 3 * DAY)
    for hours in (72, 73):
        monitoring.watch_sources(sessions, now=NOW + hours * HOUR)

    [resumed] = told(session)
    assert resumed["type"] == "data.resumed"
    assert resumed["data"] == silent | {"last_event_at": zulu(NOW + 3 * DAY)}


@pytest.mark.usefixtures("usual")
def test_an_account_that_another_source_tells_of_is_not_stale(
    client: TestClient, sessions: SessionFactory, session: Session, other_key: str
) -> None:
    send(client, sessions, "m1", "both", NOW)
    send(client, sessions, "m2", "later", NOW)
    send(client, sessions, "m3", "one", NOW)
    session.commit()
    client.headers["Authorization"] = f"Bearer {other_key}"
    send(client, sessions, "m4", "both", NOW + HOUR)

    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    assert find_stale_accounts(session, "acme", ["both", "later", "one"]) == {"later", "one"}
    due(session)
    send(client, sessions, "m5", "later", NOW + 3 * DAY)
    due(session)
    monitoring.watch_sources(sessions, now=NOW + 3 * DAY)

    assert find_stale_accounts(session, "acme", ["both", "later", "one"]) == {"one"}
    assert due(session) == [("later", 1, False)]


def test_a_key_that_is_no_longer_in_use_is_no_silent_source(
    client: TestClient, sessions: SessionFactory, session: Session, usual: str
) -> None:
    send(client, sessions, "m1", "a1", NOW)
    session.execute(text("UPDATE api_key SET revoked_at = :at"), {"at": NOW + DAY})
    session.commit()

    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    assert calls.one_row(session, "SELECT silent_since FROM source") == (None,)
    session.execute(text("UPDATE api_key SET revoked_at = NULL"))
    session.commit()
    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    assert find_stale_accounts(session, "acme", ["a1"]) == {"a1"}
    assert listed(client)[0]["state"] == "silent"

    assert client.post(f"/api/v1/api-keys/{usual}/rotate").status_code == 201
    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)

    assert listed(client)[0]["state"] == "retired"
    assert find_stale_accounts(session, "acme", ["a1"]) == set()
    assert [said["type"] for said in told(session)] == ["data.stopped"]


def test_of_a_new_source_silence_is_not_told(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    send(client, sessions, "m1", "a1", NOW)

    monitoring.watch_sources(sessions, now=NOW + 9 * DAY)

    [said] = listed(client)
    assert (said["state"], said["allowed_gap_seconds"]) == ("learning", None)
    assert find_stale_accounts(session, "acme", ["a1"]) == set()


def test_what_cannot_be_used_is_no_sign_of_life(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, track(event=""))

    monitoring.watch_sources(sessions, now=NOW)

    assert listed(client) == []
    assert session.get(Source, ("acme", key_of(client))) is None


def test_sources_are_listed_in_pages(client: TestClient, session: Session) -> None:
    keys = sorted(
        parse_key_id(factories.api_key(session, factories.workspace(session))) or ""
        for _ in range(3)
    )
    for key in keys:
        session.add(Source(workspace_id="acme", key_id=key, last_event_at=NOW))
    session.commit()

    first = client.get("/api/v1/sources", params={"limit": 2}).json()
    second = client.get("/api/v1/sources", params={"cursor": first["next_cursor"]}).json()

    assert [row["key_id"] for row in [*first["items"], *second["items"]]] == keys
    assert second["next_cursor"] is None
