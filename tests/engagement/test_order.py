"""The order in which calls arrive does not change what is stored, within and across requests."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import DAY, semantic_call
from tests.events.calls import client_at_time, ingest, text_rows

Call = dict[str, Any]

STORED = {
    "survey_response": "response_id, account_id, user_id, kind, score, comment, ticket_id, at",
    "feedback_item": "feedback_id, account_id, user_id, kind, text, topic, owner, due_on, status,"
    " answer, at, resolved_at, notified_at",
    "goal": "goal_id, account_id, title, metric, event_names, trait, baseline, target, starts_on,"
    " due_on",
    "incident": "incident_id, title, declared_at, ended_at",
    "incident_account": "incident_id, account_id, apology_sent_at",
    "ticket": "ticket_id, account_id, user_id, subject, priority, channel, opened_at, replied_at,"
    " closed_at",
    "onboarding_completion": "account_id, step_key, user_id, done_at",
}
GOAL: Any = {"goal_id": "g1", "metric": "events", "baseline": 0}

CALLS: dict[str, Sequence[Call]] = {
    "survey_response": (
        semantic_call("NPS Submitted", "m1", days=4, response_id="r1", score=9, comment="Old"),
        semantic_call("NPS Submitted", "m2", days=3, response_id="r1", score=8, comment="New"),
        semantic_call("NPS Submitted", "m3", days=2, response_id="r1", score=0, userId="bob"),
        semantic_call("NPS Submitted", "m4", days=2, response_id="r1", score=7, ticket_id="t"),
    ),
    "feedback_item": (
        semantic_call("Feedback Submitted", "m1", days=4, feedback_id="f1", kind="praise"),
        semantic_call(
            "Feedback Submitted",
            "m2",
            days=3,
            feedback_id="f1",
            kind="request",
            text="B",
            topic="x",
        ),
        semantic_call(
            "Feedback Submitted", "m3", days=2, feedback_id="f1", kind="complaint", owner="Ines"
        ),
        semantic_call("Feedback Resolved", "m4", days=1, feedback_id="f1", outcome="fixed"),
        semantic_call(
            "Feedback Resolved", "m5", days=1.5, feedback_id="f1", outcome="declined", answer="No."
        ),
    ),
    "goal": (
        semantic_call("Goal Set", "m1", days=4, title="A", target=1, due_on="2026-04-01", **GOAL),
        semantic_call("Goal Set", "m2", days=3, title="B", target=2, due_on="2026-05-01", **GOAL),
        semantic_call(
            "Goal Set",
            "m3",
            days=2,
            title="C",
            target=3,
            due_on="2026-06-01",
            **(GOAL | {"metric": "trait", "trait": "seats"}),
        ),
        semantic_call("Goal Set", "m4", days=2, title="D", target=4, due_on="2026-07-01", **GOAL),
    ),
    "incident": (
        semantic_call("Incident Declared", "m1", days=5, incident_id="i1", title="Slow"),
        semantic_call(
            "Incident Declared", "m2", days=4, incident_id="i1", title="Down", account_ids=["a2"]
        ),
        semantic_call("Incident Resolved", "m3", days=3, incident_id="i1"),
        semantic_call("Incident Resolved", "m4", days=2, incident_id="i1"),
        semantic_call(
            "Incident Apology Sent", "m5", days=4.5, incident_id="i1", userId="ops", context={}
        ),
    ),
    "ticket": (
        semantic_call("Ticket Created", "m1", days=5, ticket_id="t1", subject="A", priority="low"),
        semantic_call("Ticket Created", "m2", days=4, ticket_id="t1", userId="bob", subject="B"),
        semantic_call("Ticket Closed", "m3", days=3, ticket_id="t1", csat=5, channel="chat"),
        semantic_call("Ticket Reopened", "m4", days=2, ticket_id="t1", priority="urgent"),
        semantic_call("Ticket Closed", "m5", days=1, ticket_id="t1", csat=1, channel="mail"),
    ),
    "onboarding_completion": (
        semantic_call("Onboarding Step Completed", "m1", days=3, step="s1"),
        semantic_call("Onboarding Step Completed", "m2", days=2, step="s1"),
        semantic_call("Onboarding Step Completed", "m3", days=1, step="s1", userId="bob"),
    ),
}


def stored(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Return the present rows of all tables, then delete them for the next order."""
    present = dict.fromkeys(list(STORED)[:5], " WHERE known_until = '9999-12-31'")
    rows = {
        table: text_rows(session, f"SELECT {columns} FROM {table}{present.get(table, '')}")  # noqa: S608
        for table, columns in STORED.items()
    }
    for table in ("engagement_object", *STORED, "event", "unattributed_event"):
        text_rows(session, f"DELETE FROM {table} RETURNING 1")  # noqa: S608
    return {table: sorted(found, key=str) for table, found in rows.items() if found}


@pytest.mark.parametrize("table", CALLS)
def test_every_order_stores_the_same_in_one_request_and_one_by_one(
    client: TestClient, session: Session, table: str
) -> None:
    factories.account(session, "a1")
    factories.account(session, "a2")
    session.commit()
    calls = CALLS[table]
    ingest(client, *calls)
    expected = stored(session)
    assert expected[table]

    for order in [*permutations(calls)][:: 1 if len(calls) < 5 else 7]:
        ingest(client, *order)
        assert stored(session) == expected, order
        for call in order:
            ingest(client, call)
        assert stored(session) == expected, order


def test_the_newest_value_of_each_field_counts(client: TestClient, session: Session) -> None:
    """By their own time: kind of m3, text and topic of m2, given at m1, resolved by m4."""
    for call in reversed(CALLS["feedback_item"]):
        ingest(client, call)

    [row] = stored(session)["feedback_item"]

    *fields, given_at, resolved_at, notified_at = row
    assert fields == [
        *("f1", "a1", "ada", "complaint", "B", "x", "Ines", None),
        *("fixed", "No."),
    ]
    assert (given_at, resolved_at, notified_at) == (NOW - 4 * DAY, NOW - DAY, NOW - DAY)


def test_the_newest_answer_goal_and_incident_end_count(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a2")
    session.commit()
    for call in (*CALLS["survey_response"], *CALLS["goal"], *CALLS["incident"]):
        ingest(client, call | {"messageId": f"x{call['messageId']}{call['event']}"})

    rows = stored(session)

    assert rows["survey_response"] == [
        ("r1", "a1", "ada", "nps", 7, "New", "t", NOW - 2 * DAY)  # of two at once, the greater id
    ]
    assert rows["goal"][0][2:8] == ("D", "events", [], None, 0, 4)
    assert str(rows["goal"][0][8]) == "2026-03-14", "the day of the earliest"
    assert rows["incident"] == [("i1", "Down", NOW - 5 * DAY, NOW - 2 * DAY)]
    assert rows["incident_account"] == [
        ("i1", "a1", NOW - 4.5 * DAY),
        ("i1", "a2", None),  # affected after the apology to all
    ]


def test_a_put_is_newer_than_what_happened_before_and_older_than_what_follows(
    client: TestClient, sessions: SessionFactory
) -> None:
    path, body = "/api/v1/feedback-items/f1", {"account_id": "a1", "kind": "request", "text": "Put"}
    assert client.put(path, json=body).status_code == 200

    ingest(
        client, semantic_call("Feedback Submitted", "m1", days=1, feedback_id="f1", kind="praise")
    )
    assert client.get(path).json()["kind"] == "request"

    with client_at_time(sessions, client, NOW + timedelta(hours=2)) as later:
        at = (NOW + timedelta(hours=1)).isoformat()
        call = semantic_call("Feedback Submitted", "m2", feedback_id="f1", kind="praise")
        ingest(later, call | {"timestamp": at})
        found = later.get(path).json()
    assert (found["kind"], found["text"]) == ("praise", "Put")


def test_a_resolution_waits_for_its_feedback(client: TestClient) -> None:
    resolved = semantic_call("Feedback Resolved", "m1", days=1, feedback_id="f1", outcome="fixed")
    ingest(client, resolved)
    assert client.get("/api/v1/feedback-items/f1").status_code == 404
    assert client.get("/api/v1/feedback-items").json()["items"] == []

    ingest(
        client, semantic_call("Feedback Submitted", "m2", days=3, feedback_id="f1", kind="praise")
    )

    assert client.get("/api/v1/feedback-items/f1").json()["status"] == "fixed"


@pytest.mark.parametrize("step", [1, -1])
def test_an_object_belongs_to_the_account_of_its_earliest_event(
    client: TestClient, session: Session, step: int
) -> None:
    factories.account(session, "a1")
    factories.account(session, "a2")
    session.commit()
    other = {"userId": "zed", "context": {"groupId": "a2"}}
    calls = [
        semantic_call("NPS Submitted", "m1", days=2, response_id="r1", score=9),
        semantic_call("NPS Submitted", "m2", days=1, response_id="r1", score=1, **other),
    ]
    for call in calls[::step]:
        ingest(client, call)

    found = client.get("/api/v1/survey-responses/r1").json()

    assert (found["account_id"], found["score"]) == ("a1", 9)
