"""Semantic track calls are applied to tickets, surveys and so on, and are counted as usage."""

from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.engagement.snapshot import GoalStatus
from app.events.ingestion import attribution
from app.workspaces.semantic_events import DEFAULT_NAMES, SemanticEventKind
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import days_ago, engagement_of, semantic_call
from tests.events.calls import count_rows, counts, identify, ingest, text_rows, usage, warnings

GOAL = {"title": "G", "metric": "events", "baseline": 1, "target": 2, "due_on": "2026-06-01"}
TICKET = (
    semantic_call(
        "Ticket Created", "m1", days=9, ticket_id="t1", priority="Urgent", subject="Help"
    ),
    semantic_call("Ticket Replied", "m2", days=8, ticket_id="t1"),
    semantic_call("Ticket Solved", "m3", days=7, ticket_id="t1"),
    semantic_call("Ticket Reopened", "m4", days=6, ticket_id="t1", priority="high"),
    semantic_call("Ticket Closed", "m5", days=5, ticket_id="t1"),
)


def ticket(session: Session) -> tuple[Any, ...]:
    [row] = text_rows(
        session,
        "SELECT account_id, user_id, subject, priority, opened_at, replied_at, closed_at"
        " FROM ticket",
    )
    return row


def test_a_ticket_is_opened_replied_to_and_closed(client: TestClient, session: Session) -> None:
    result = ingest(client, *TICKET)

    *named, opened_at, replied_at, closed_at = ticket(session)
    assert (counts(result), warnings(result)) == ((5, 0, 0), [])
    assert named == ["a1", "ada", "Help", "high"]
    assert [(NOW - at).days for at in (opened_at, replied_at, closed_at)] == [9, 8, 5]
    assert sum(usage(session).values()) == 5


@pytest.mark.parametrize("order", [*permutations(range(4))][::5])
def test_the_order_of_events_does_not_matter(
    client: TestClient, session: Session, order: tuple[int, ...]
) -> None:
    ingest(client, *TICKET)
    expected = ticket(session)
    text_rows(session, "DELETE FROM ticket RETURNING 1")

    renamed = [TICKET[n] | {"messageId": f"again-{n}"} for n in (*order, 4)]
    ingest(client, *renamed[:2])
    ingest(client, *renamed[2:])

    assert ticket(session) == expected


def test_a_retry_is_not_applied_twice(client: TestClient, session: Session) -> None:
    answer = semantic_call("NPS Submitted", "m1", score=9)
    ingest(client, answer)

    result = ingest(client, answer, semantic_call("Ticket Created", "m2", ticket_id="t1"))

    assert counts(result) == (1, 1, 0)
    assert len(engagement_of(session).nps.responses) == 1


def test_a_late_event_was_not_known_before(client: TestClient, session: Session) -> None:
    ingest(client, *TICKET)

    assert engagement_of(session, days_ago(8)).open_tickets == []
    assert engagement_of(session, days_ago(1)).tickets[28].opened == 0
    assert engagement_of(session).tickets[28].opened == 1


def test_the_replying_user_does_not_become_the_author(client: TestClient, session: Session) -> None:
    factories.account(session, "vendor")
    client.put("/api/v1/users/agent", json={"account_id": "vendor"})

    ingest(
        client, semantic_call("Ticket Replied", "m1", ticket_id="t1", userId="agent", context={})
    )
    ingest(client, semantic_call("Ticket Created", "m2", days=1, ticket_id="t1"))

    assert ticket(session)[:2] == ("a1", "ada")
    [waiting] = engagement_of(session).open_tickets
    assert waiting.replied_at == NOW


def test_an_event_without_account_is_applied_when_its_account_is_known(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    result = ingest(
        client,
        semantic_call("CSAT Submitted", "m1", days=2, score=2, context={}),
        semantic_call("Ticket Created", "m2", days=2, ticket_id="t1", context={}),
    )
    assert result["unattributed"] == 2
    assert ticket(session)[0] is None

    ingest(client, identify(context={"groupId": "a1"}))
    attribution.attribute_events(sessions, now=NOW)

    assert [answer.score for answer in engagement_of(session).csat.responses] == [2]
    assert [each.ticket_id for each in engagement_of(session).open_tickets] == ["t1"]


def test_survey_answers_have_several_event_names(client: TestClient, session: Session) -> None:
    result = ingest(
        client,
        semantic_call("NPS Submitted", "m1", days=1, score=3),
        semantic_call("Survey Responded", "m2", survey="nps", score="10", response_id="r1"),
        semantic_call("CSAT Submitted", "m3", rating=9, scale=10, comment="Fine", ticket_id="t1"),
        semantic_call("Ticket Closed", "m4", ticket_id="t1", csat=1, userId="bob"),
    )

    found = engagement_of(session)
    assert warnings(result) == []
    assert [(each.response_id, each.score) for each in found.nps.responses] == [("r1", 10)]
    assert sorted(each.score for each in found.csat.responses) == [1, pytest.approx(4.555556)]


def test_feedback_is_given_and_resolved(client: TestClient, session: Session) -> None:
    given: Any = {"kind": "request", "text": "Dark mode", "topic": "ui", "due_date": "2026-04-01"}
    result = ingest(
        client,
        semantic_call("Feedback Resolved", "m2", days=1, feedback_id="f1", outcome="shipped"),
        semantic_call("Feedback Submitted", "m1", days=4, feedback_id="f1", **given),
        semantic_call("Feedback Submitted", "m3", kind="complaint", text="Slow"),
    )

    found = engagement_of(session)
    assert warnings(result) == []
    assert [(f.feedback_id, f.topic, str(f.due_on)) for f in found.shipped_requests] == [
        ("f1", "ui", "2026-04-01")
    ]
    assert [(f.feedback_id, f.kind) for f in found.unanswered] == [("m3", "complaint")]


def test_events_complete_steps_and_set_goals(client: TestClient, session: Session) -> None:
    client.put("/api/v1/accounts/a1", json={"started_on": "2026-03-01"})
    metric: Any = {"metric": "events", "event_name": "Export", "baseline": 0, "target": 1}
    ingest(
        client,
        semantic_call("Onboarding Step Completed", "m1", days=1, step="invite"),
        semantic_call(
            "Goal Set", "m2", days=1, goal_id="g1", title="Go", due_on="2026-04-01", **metric
        ),
        semantic_call("Export", "m3"),
    )

    [row] = text_rows(session, "SELECT step_key, known_on::text FROM onboarding_completion")
    assert row == ("invite", "2026-03-18")
    assert [goal.progress for goal in engagement_of(session).goals] == [GoalStatus.ACHIEVED]


def test_incidents_affect_accounts_until_they_end(client: TestClient, session: Session) -> None:
    factories.account(session, "a2")
    system: Any = {"userId": "ops", "context": {}}
    result = ingest(
        client,
        semantic_call("Incident Resolved", "m3", days=1, incident_id="i1", **system),
        semantic_call("Incident Declared", "m1", days=2, incident_id="i1", title="Down"),
        semantic_call(
            "Incident Declared", "m2", days=2, incident_id="i1", account_ids=["a2"], **system
        ),
        semantic_call("Incident Apology Sent", "m4", incident_id="i1", account_ids="a2", **system),
    )

    [first], [second] = (
        engagement_of(session).incidents,
        engagement_of(session, account_id="a2").incidents,
    )
    assert warnings(result) == []
    assert (first.title, (NOW - first.declared_at).days) == ("Down", 2)
    assert (first.ended_at, first.apology_sent_at) == (second.ended_at, None)
    assert second.apology_sent_at == NOW
    assert {"a1", "a2"} <= {row[0] for row in text_rows(session, "SELECT account_id FROM due")}


@pytest.mark.parametrize(
    ("name", "properties", "warning"),
    [
        ("Ticket Created", {}, "semantic_missing"),
        ("Ticket Created", {"ticket_id": "null"}, "semantic_invalid"),
        ("Ticket Created", {"ticket_id": ["t1"]}, "semantic_invalid"),
        ("Ticket Created", {"ticket_id": "x" * 256}, "semantic_invalid"),
        ("NPS Submitted", {}, "semantic_missing"),
        ("Goal Set", GOAL | {"target": "2.000"}, "semantic_invalid"),
        ("Goal Set", GOAL | {"target": "2_000"}, "semantic_invalid"),
        ("Goal Set", GOAL | {"target": "\u0662\u0660"}, "semantic_invalid"),
        ("Goal Set", GOAL | {"baseline": "-1.500"}, "semantic_invalid"),
        ("NPS Submitted", {"score": 11}, "semantic_invalid"),
        ("NPS Submitted", {"score": 7.5}, "semantic_invalid"),
        ("NPS Submitted", {"score": True}, "semantic_invalid"),
        ("NPS Submitted", {"score": "nan"}, "semantic_invalid"),
        ("CSAT Submitted", {"score": 6}, "semantic_invalid"),
        ("CSAT Submitted", {"score": 1, "scale": 1}, "semantic_invalid"),
        ("Survey Responded", {"score": 9}, "semantic_missing"),
        ("Survey Responded", {"score": 9, "survey": "ces"}, "semantic_invalid"),
        ("Feedback Submitted", {"text": "Hm"}, "semantic_missing"),
        ("Feedback Submitted", {"kind": "rant"}, "semantic_invalid"),
        ("Feedback Submitted", {"kind": "praise", "text": 7}, "semantic_invalid"),
        ("Feedback Resolved", {"feedback_id": "f0", "outcome": "shipped"}, "semantic_unknown"),
        ("Feedback Resolved", {"feedback_id": "f0", "outcome": "lost"}, "semantic_invalid"),
        ("Goal Set", {"title": "Go", "metric": "luck", "due_on": "2026-04-01"}, "semantic_invalid"),
        ("Goal Set", {"title": "Go", "metric": "mrr", "due_on": "2026-03-18"}, "semantic_invalid"),
        ("Onboarding Step Completed", {"step": ""}, "semantic_invalid"),
        ("Incident Declared", {"title": "Down"}, "semantic_missing"),
        ("Incident Declared", {"incident_id": "i", "account_ids": [None]}, "semantic_invalid"),
        ("Incident Resolved", {"incident_id": "i0"}, "semantic_unknown"),
        ("Incident Apology Sent", {"incident_id": "i0"}, "semantic_unknown"),
    ],
)
def test_an_incomplete_event_is_counted_with_a_warning(
    client: TestClient, session: Session, name: str, properties: dict[str, Any], warning: str
) -> None:
    result = ingest(
        client,
        semantic_call(name, "m1", **properties),
        semantic_call("Ticket Created", "m2", ticket_id="t9"),
    )

    assert (counts(result), warnings(result)) == ((2, 0, 0), [warning])
    assert count_rows(session, "ticket") == 1
    assert sum(usage(session).values()) == 2


def test_a_workspace_can_rename_its_semantic_events(client: TestClient, session: Session) -> None:
    own = {"ticket_opened": ["Case Opened"]}
    assert client.patch("/api/v1/workspace", json={"semantic_events": own}).status_code == 200

    ingest(
        client,
        semantic_call("CASE opened", "m1", ticket_id="t1"),
        semantic_call("Ticket Created", "m2", ticket_id="t2"),
        semantic_call("NPS Submitted", "m3", score=1),
    )

    assert [each.ticket_id for each in engagement_of(session).open_tickets] == ["t1"]
    assert len(engagement_of(session).nps.detractors) == 1


def test_an_unknown_kind_of_semantic_event_is_rejected(client: TestClient) -> None:
    body = {"semantic_events": {"ticket_lost": ["Lost"]}}

    assert client.patch("/api/v1/workspace", json=body).status_code == 422


def test_every_kind_has_a_default_name() -> None:
    assert set(DEFAULT_NAMES) == set(SemanticEventKind)


def test_validating_writes_nothing(client: TestClient, session: Session) -> None:
    call = semantic_call("NPS Submitted", "m1", score=99)
    answer = client.post("/api/v1/events/validate?dialect=segment", json={"batch": [call, *TICKET]})

    assert warnings(answer.json()) == ["semantic_invalid"]
    assert count_rows(session, "ticket") == 0
