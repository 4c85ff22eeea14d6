"""An event is followed from its receipt to the score that uses it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion.attribution import attribute_events
from app.events.trace_queries import FIND_STORED_EVENTS, SET_INDEX_SCANS
from app.lifecycle.event_trace import NewestScore, score_inclusion
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, identify, track, unattributed

DAY = timedelta(days=1)


def trace(client: TestClient, message_id: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/ingest/trace", params={"message_id": message_id})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    assert (said["message_id"], said["found"]) == (message_id, len(said["events"]))
    events: list[dict[str, Any]] = said["events"]
    return events


def scored(client: TestClient, account_id: str = "a1") -> None:
    assert client.post(f"/api/v1/accounts/{account_id}/health/refresh").status_code == 200


def test_an_event_is_followed_into_the_score(client: TestClient, sessions: SessionFactory) -> None:
    library = {"groupId": "a1", "library": {"name": "web", "version": "1"}}
    calls.ingest(client, track("m1", context=library), track("m2"))
    [before] = trace(client, "m1")
    with calls.client_at_time(sessions, client, NOW + DAY) as later:
        scored(later)
        [said] = trace(later, "m1")

    assert before["score"]["state"] == "no_score"
    assert (said["verdict"], said["account_id"], said["account_found_by"]) == (
        *("accepted", "a1"),
        "event",
    )
    assert (said["sdk"], said["name"], said["user_id"]) == ("web/1", "Export", "ada")
    assert (said["day"], said["known_on"]) == ("2026-03-18", "2026-03-18")
    assert said["score"]["state"] == "counted"
    assert (said["score"]["as_of"], said["score"]["window_from"]) == ("2026-03-19", "2026-02-20")


def test_an_event_after_the_last_score_is_pending(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, track("m1"))
    scored(client)
    with calls.client_at_time(sessions, client, NOW + timedelta(hours=1)) as later:
        calls.ingest(later, track("m2"))

        assert trace(later, "m1")[0]["score"]["state"] == "counted"
        assert trace(later, "m2")[0]["score"]["state"] == "pending"


def test_an_event_that_waits_is_shown_waiting_and_then_bound(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, unattributed("m1"))
    [waiting] = trace(client, "m1")
    calls.ingest(client, group())
    attribute_events(sessions, now=NOW + DAY)
    [bound] = trace(client, "m1")

    assert (waiting["verdict"], waiting["account_id"], waiting["score"]) == (
        *("unattributed", None),
        None,
    )
    assert (waiting["user_id"], waiting["day"]) == ("ada", "2026-03-18")
    assert (bound["verdict"], bound["account_found_by"]) == ("accepted", "user")
    assert (bound["received_at"], bound["known_on"]) == (waiting["received_at"], "2026-03-19")


def test_a_quarantined_event_is_shown_with_its_reason(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, track("m1", event=""), track("m2", timestamp="2020-01-01T00:00:00Z"))

    [said] = trace(client, "m1")
    assert (said["verdict"], said["code"], said["quarantine_status"]) == (
        *("quarantined", "missing_event_name"),
        "open",
    )
    with calls.client_at_time(sessions, client, NOW, event_retention_days=9999) as longer:
        longer.post("/api/v1/quarantine/replay", json={"filter": {"code": "too_old"}})
        aside, stored = sorted(trace(longer, "m2"), key=lambda row: row["verdict"], reverse=True)

    assert aside["quarantine_status"] == "replayed"
    assert (stored["verdict"], stored["score"]["state"]) == ("accepted", "no_score")


def test_one_id_at_several_times_is_several_events(client: TestClient) -> None:
    calls.ingest(client, track("m1"), track("m1", timestamp=(NOW - DAY).isoformat()))

    assert [row["day"] for row in sorted(trace(client, "m1"), key=lambda row: row["day"])] == [
        "2026-03-17",
        "2026-03-18",
    ]


def test_what_is_no_usage_says_so(client: TestClient) -> None:
    impersonated = track("m1", properties={"impersonated": True})
    calls.ingest(client, impersonated, group(), identify())

    assert trace(client, "m1")[0]["score"]["state"] == "not_usage"
    assert trace(client, "g1")[0]["score"]["state"] == "not_usage"
    assert trace(client, "i1")[0]["score"] is None or trace(client, "i1")[0]["account_id"]


@pytest.mark.parametrize("message_id", ["nothing", "'", "%", "m" * 300])
def test_an_id_that_never_came_is_found_nowhere(client: TestClient, message_id: str) -> None:
    calls.ingest(client, track("m1"))

    assert trace(client, message_id) == []


@pytest.mark.parametrize("message_id", [None, "", "a\x00b", "m" * 301])
def test_a_trace_needs_an_id(client: TestClient, message_id: str | None) -> None:
    params = {} if message_id is None else {"message_id": message_id}

    assert client.get("/api/v1/ingest/trace", params=params).status_code == 422


def test_a_trace_reads_the_summaries_and_not_the_key(session: Session) -> None:
    """The key is led by the workspace: read for it, it would be read as a whole."""
    session.execute(
        text(
            "INSERT INTO event (workspace_id, client_at, message_id, occurred_at, received_at,"
            " kind, name, key_id, fingerprint, properties)"
            " SELECT 'acme', :at, 'x' || n, :at, :at, 'track', 'Export', 'k', n, '{}'"
            " FROM generate_series(1, 30000) n"
        ),
        {"at": NOW},
    )
    session.execute(text("ANALYZE event"))
    session.execute(SET_INDEX_SCANS, {"scan": "off"})
    session.execute(text("SET LOCAL enable_seqscan = off"))
    values = {"workspace_id": "acme", "message_id": "x7", "limit": 1}

    plan = str(session.execute(text(f"EXPLAIN {FIND_STORED_EVENTS.text}"), values).all())

    assert "message_id_idx" in plan
    assert "event_default_pkey" not in plan


def test_the_planner_is_as_it_was_after_a_trace(client: TestClient, session: Session) -> None:
    trace(client, "m1")

    assert calls.one_row(session, "SHOW enable_indexscan") == ("on",)


TODAY = date(2026, 3, 18)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "counted"),
        ({"in_usage": False}, "not_usage"),
        ({"score": None}, "no_score"),
        ({"day": TODAY - timedelta(days=27)}, "counted"),
        ({"day": TODAY - timedelta(days=28)}, "outside_window"),
        ({"received_at": NOW + DAY}, "pending"),
        ({"known_on": TODAY + DAY}, "pending"),
        (
            {
                "received_at": NOW + DAY,
                "score": NewestScore(TODAY, NOW, is_stale=True, window_days=28),
            },
            "frozen",
        ),
        ({"score": NewestScore(TODAY, NOW, is_stale=True, window_days=28)}, "counted"),
    ],
)
def test_the_place_of_an_event(changed: dict[str, Any], expected: str) -> None:
    usual: dict[str, Any] = {
        "score": NewestScore(TODAY, NOW, is_stale=False, window_days=28),
        "in_usage": True,
        "day": TODAY,
        "known_on": TODAY,
        "received_at": datetime.fromisoformat("2026-03-18T11:00:00+00:00"),
    }

    assert score_inclusion(**{**usual, **changed}) == expected
