"""Sources that become silent and active again, and their stale accounts."""

from datetime import datetime, timedelta

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.sources import monitoring
from app.events.sources.queries import load_stale_accounts
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
def hourly_key(client: TestClient, session: Session) -> str:
    """A key that sent an event in every hour of the last ten days."""
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


def list_sources(client: TestClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/api/v1/sources").json()["items"]
    return found


def zulu(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def pop_messages(session: Session) -> list[dict[str, object]]:
    """Return the messages in their order, and delete them."""
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


def test_a_silent_source_makes_its_accounts_stale_and_due_without_notification(
    client: TestClient, sessions: SessionFactory, session: Session, hourly_key: str
) -> None:
    send(client, sessions, "m1", "a1", NOW - 20 * DAY)
    send(client, sessions, "m2", "a2", NOW)
    send(client, sessions, "m0", "long ago", NOW - 40 * DAY)
    monitoring.watch_sources(sessions, now=NOW + 24 * HOUR)
    assert list_sources(client)[0]["state"] == "live"
    due(session)

    monitoring.watch_sources(sessions, now=NOW + 25 * HOUR)

    [source] = list_sources(client)
    assert (source["key_id"], source["state"], source["stale_accounts"]) == (
        hourly_key,
        "silent",
        2,
    )
    assert (source["usual_gap_seconds"], source["allowed_gap_seconds"]) == (3600, 86400)
    assert source["silent_since"] == source["last_event_at"]
    assert load_stale_accounts(session, "acme", ["a1", "a2", "a3", "long ago"]) == {"a1", "a2"}
    assert load_stale_accounts(session, "other", ["a1", "a2"]) == set()
    assert due(session) == [("a1", 1, False), ("a2", 1, False)]
    monitoring.watch_sources(sessions, now=NOW + 26 * HOUR)
    assert due(session) == []


@pytest.mark.usefixtures("hourly_key")
def test_the_accounts_of_a_resumed_source_are_no_longer_stale(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    send(client, sessions, "m1", "a1", NOW)
    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    due(session)

    send(client, sessions, "m2", "a2", NOW + 3 * DAY)
    monitoring.watch_sources(sessions, now=NOW + 3 * DAY)

    [source] = list_sources(client)
    assert (source["state"], source["stale_accounts"], source["silent_since"]) == ("live", 0, None)
    assert source["resumed_at"] == zulu(NOW + 3 * DAY)
    assert load_stale_accounts(session, "acme", ["a1"]) == set()
    assert ("a1", 1, False) in due(session)


def test_one_message_is_sent_when_a_source_stops_and_one_when_it_resumes(
    client: TestClient, sessions: SessionFactory, session: Session, hourly_key: str
) -> None:
    send(client, sessions, "m1", "a1", NOW)
    send(client, sessions, "m2", "a2", NOW)
    for hours in (24, 25, 26, 30):
        monitoring.watch_sources(sessions, now=NOW + hours * HOUR)

    at = zulu(NOW)
    silent = {
        "link": "/api/v1/sources",
        "key_id": hourly_key,
        "silent_since": at,
        "last_event_at": at,
        "accounts": 2,
    }
    [stopped] = pop_messages(session)
    assert stopped["type"] == "data.stopped"
    assert stopped["timestamp"] == (NOW + 25 * HOUR).isoformat()
    assert stopped["data"] == silent

    send(client, sessions, "m3", "a2", NOW + 3 * DAY)
    for hours in (72, 73):
        monitoring.watch_sources(sessions, now=NOW + hours * HOUR)

    [resumed] = pop_messages(session)
    assert resumed["type"] == "data.resumed"
    assert resumed["data"] == silent | {"last_event_at": zulu(NOW + 3 * DAY)}


@pytest.mark.usefixtures("hourly_key")
def test_an_account_with_events_from_another_source_is_not_stale(
    client: TestClient, sessions: SessionFactory, session: Session, other_key: str
) -> None:
    send(client, sessions, "m1", "both", NOW)
    send(client, sessions, "m2", "later", NOW)
    send(client, sessions, "m3", "one", NOW)
    session.commit()
    client.headers["Authorization"] = f"Bearer {other_key}"
    send(client, sessions, "m4", "both", NOW + HOUR)

    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    assert load_stale_accounts(session, "acme", ["both", "later", "one"]) == {"later", "one"}
    due(session)
    send(client, sessions, "m5", "later", NOW + 3 * DAY)
    due(session)
    monitoring.watch_sources(sessions, now=NOW + 3 * DAY)

    assert load_stale_accounts(session, "acme", ["both", "later", "one"]) == {"one"}
    assert due(session) == [("later", 1, False)]


def test_a_key_that_is_no_longer_in_use_is_not_a_silent_source(
    client: TestClient, sessions: SessionFactory, session: Session, hourly_key: str
) -> None:
    send(client, sessions, "m1", "a1", NOW)
    session.execute(text("UPDATE api_key SET revoked_at = :at"), {"at": NOW + DAY})
    session.commit()

    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    assert calls.one_row(session, "SELECT silent_since FROM source") == (None,)
    session.execute(text("UPDATE api_key SET revoked_at = NULL"))
    session.commit()
    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)
    assert load_stale_accounts(session, "acme", ["a1"]) == {"a1"}
    assert list_sources(client)[0]["state"] == "silent"

    assert client.post(f"/api/v1/api-keys/{hourly_key}/rotate").status_code == 201
    monitoring.watch_sources(sessions, now=NOW + 2 * DAY)

    assert list_sources(client)[0]["state"] == "retired"
    assert load_stale_accounts(session, "acme", ["a1"]) == set()
    assert [message["type"] for message in pop_messages(session)] == ["data.stopped"]


def test_a_new_source_is_never_silent(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    send(client, sessions, "m1", "a1", NOW)

    monitoring.watch_sources(sessions, now=NOW + 9 * DAY)

    [source] = list_sources(client)
    assert (source["state"], source["allowed_gap_seconds"]) == ("learning", None)
    assert load_stale_accounts(session, "acme", ["a1"]) == set()


def test_quarantined_events_do_not_make_a_key_a_source(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, track(event=""))

    monitoring.watch_sources(sessions, now=NOW)

    assert list_sources(client) == []
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
