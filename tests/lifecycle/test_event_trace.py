"""An event is traced from its receipt to the score that includes it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion.attribution import attribute_events
from app.events.sources.trace_queries import SQL
from app.lifecycle.event_trace import NewestScore, score_inclusion
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, identify, track, unattributed

DAY = timedelta(days=1)


def trace(client: TestClient, message_id: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/ingest/trace", params={"message_id": message_id})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert (body["message_id"], body["found"]) == (message_id, len(body["events"]))
    events: list[dict[str, Any]] = body["events"]
    return events


def refresh_score(client: TestClient, account_id: str = "a1") -> None:
    assert client.post(f"/api/v1/accounts/{account_id}/health/refresh").status_code == 200


def test_an_event_is_traced_into_the_score(client: TestClient, sessions: SessionFactory) -> None:
    library = {"groupId": "a1", "library": {"name": "web", "version": "1"}}
    calls.ingest(client, track("m1", context=library), track("m2"))
    [before] = trace(client, "m1")
    with calls.client_at_time(sessions, client, NOW + DAY) as later:
        refresh_score(later)
        [after] = trace(later, "m1")

    assert before["score"]["state"] == "no_score"
    assert (after["verdict"], after["account_id"], after["account_found_by"]) == (
        *("accepted", "a1"),
        "event",
    )
    assert (after["sdk"], after["name"], after["user_id"]) == ("web/1", "Export", "ada")
    assert (after["day"], after["known_on"]) == ("2026-03-18", "2026-03-18")
    assert after["score"]["state"] == "counted"
    assert (after["score"]["as_of"], after["score"]["window_from"]) == ("2026-03-19", "2026-02-20")


def test_an_event_after_the_last_score_is_pending(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, track("m1"))
    refresh_score(client)
    with calls.client_at_time(sessions, client, NOW + timedelta(hours=1)) as later:
        calls.ingest(later, track("m2"))

        assert trace(later, "m1")[0]["score"]["state"] == "counted"
        assert trace(later, "m2")[0]["score"]["state"] == "pending"


def test_an_unattributed_event_is_shown_waiting_and_then_attributed(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, unattributed("m1"))
    [waiting] = trace(client, "m1")
    calls.ingest(client, group())
    attribute_events(sessions, now=NOW + DAY)
    [attributed] = trace(client, "m1")

    assert (waiting["verdict"], waiting["account_id"], waiting["score"]) == (
        *("unattributed", None),
        None,
    )
    assert (waiting["user_id"], waiting["day"]) == ("ada", "2026-03-18")
    assert (attributed["verdict"], attributed["account_found_by"]) == ("accepted", "user")
    assert (attributed["received_at"], attributed["known_on"]) == (
        waiting["received_at"],
        "2026-03-19",
    )


def test_a_quarantined_event_is_shown_with_its_reason(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, track("m1", event=""), track("m2", timestamp="2020-01-01T00:00:00Z"))

    [event] = trace(client, "m1")
    assert (event["verdict"], event["code"], event["quarantine_status"]) == (
        *("quarantined", "missing_event_name"),
        "open",
    )
    with calls.client_at_time(sessions, client, NOW, event_retention_days=9999) as longer:
        longer.post("/api/v1/quarantine/replay", json={"filter": {"code": "too_old"}})
        quarantined, stored = sorted(
            trace(longer, "m2"), key=lambda row: row["verdict"], reverse=True
        )

    assert quarantined["quarantine_status"] == "replayed"
    assert (stored["verdict"], stored["score"]["state"]) == ("accepted", "no_score")


def test_one_message_id_with_several_times_is_several_events(client: TestClient) -> None:
    calls.ingest(client, track("m1"), track("m1", timestamp=(NOW - DAY).isoformat()))

    assert [row["day"] for row in sorted(trace(client, "m1"), key=lambda row: row["day"])] == [
        "2026-03-17",
        "2026-03-18",
    ]


def test_an_event_that_is_not_usage_has_its_own_state(client: TestClient) -> None:
    impersonated = track("m1", properties={"impersonated": True})
    calls.ingest(client, impersonated, group(), identify())

    assert trace(client, "m1")[0]["score"]["state"] == "not_usage"
    assert trace(client, "g1")[0]["score"]["state"] == "not_usage"
    assert trace(client, "i1")[0]["score"] is None or trace(client, "i1")[0]["account_id"]


@pytest.mark.parametrize("message_id", ["nothing", "'", "%", "m" * 300])
def test_an_unknown_id_has_no_events(client: TestClient, message_id: str) -> None:
    calls.ingest(client, track("m1"))

    assert trace(client, message_id) == []


@pytest.mark.parametrize("message_id", [None, "", "a\x00b", "m" * 301])
def test_a_trace_needs_a_valid_id(client: TestClient, message_id: str | None) -> None:
    params = {} if message_id is None else {"message_id": message_id}

    assert client.get("/api/v1/ingest/trace", params=params).status_code == 422


def test_a_trace_reads_the_brin_index_and_not_the_primary_key(session: Session) -> None:
    """The primary key begins with the workspace: the planner would scan all of its events."""
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
    session.execute(SQL.set_index_scans, {"scan": "off"})
    session.execute(text("SET LOCAL enable_seqscan = off"))
    values = {"workspace_id": "acme", "message_id": "x7", "limit": 1}

    plan = str(session.execute(text(f"EXPLAIN {SQL.find_stored_events.text}"), values).all())

    assert "message_id_idx" in plan
    assert "event_default_pkey" not in plan


def test_a_trace_restores_the_planner_settings(client: TestClient, session: Session) -> None:
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
def test_the_inclusion_of_an_event_in_the_score(changed: dict[str, Any], expected: str) -> None:
    usual: dict[str, Any] = {
        "score": NewestScore(TODAY, NOW, is_stale=False, window_days=28),
        "in_usage": True,
        "day": TODAY,
        "known_on": TODAY,
        "received_at": datetime.fromisoformat("2026-03-18T11:00:00+00:00"),
    }

    assert score_inclusion(**{**usual, **changed}) == expected
