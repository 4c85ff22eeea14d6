"""Answers, feedback, goals, incidents and tickets of today do not change the figures of January."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.engagement.snapshot import Engagement
from app.features.table import TableSpec
from app.features.table_queries import load_feature_table
from app.features.values import FeatureMap, ReachSource
from app.tables import SurveyResponse
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import engagement_of, semantic_call
from tests.events.calls import client_at_time, count_rows, ingest
from tests.reports.kpis.test_revenue import get_report

JANUARY: Any = {"since": "2026-01-01", "until": "2026-01-31"}
LAST_DAY = date(2026, 1, 31)
ANSWERED = datetime(2026, 1, 10, 9, tzinfo=UTC)
SCORES = (("ada", 10), ("bob", 9), ("cleo", 8), ("dan", 3))
"""Two promoters and one detractor of four: (2 - 1) / 4 = 25."""

FEEDBACK: Any = {"account_id": "a1", "kind": "complaint", "topic": "export"}
GOAL: Any = {"account_id": "a1", "title": "Send", "metric": "events", "baseline": 0, "target": 9}


@pytest.fixture
def january(client: TestClient, sessions: SessionFactory, session: Session) -> None:
    """In January an account answers, complains, sets a goal and opens a ticket."""
    factories.account(session, "a1")
    factories.account(session, "a2")
    session.commit()
    with client_at_time(sessions, client, ANSWERED) as then:
        for name, score in SCORES:
            body = {"account_id": "a1", "user_id": name, "kind": "nps", "score": score}
            put(then, f"survey-responses/{name}", body)
        put(then, "feedback-items/f1", FEEDBACK)
        put(then, "goals/g1", GOAL | {"due_on": "2026-06-01"})
        put(then, "tickets/t1", {"account_id": "a1", "priority": "low"})
        put(then, "incidents/i1", {"account_ids": ["a1", "a2"], "title": "Down"})


def put(client: TestClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.put(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def nps(client: TestClient, **period: str) -> tuple[float | None, int]:
    found = get_report(client, "nps", **(JANUARY | period))
    return found["value"], found["n"]


def figures(client: TestClient, session: Session) -> tuple[Any, ...]:
    """Return everything that is read of January: reports, the snapshot, a review, a feature."""
    spec = TableSpec(FeatureMap([]), ReachSource(), "USD", (), silence_days=90)
    table = load_feature_table(session, "acme", [("a1", LAST_DAY)], spec=spec)
    as_of = {"from": JANUARY["since"], "to": JANUARY["until"]}
    review = client.get("/api/v1/accounts/a1/review", params=as_of)
    assert review.status_code == 200, review.text
    snapshots: list[Engagement] = [engagement_of(session, LAST_DAY, each) for each in ("a1", "a2")]
    return (
        nps(client),
        get_report(client, "feedback", **JANUARY)["topics"],
        snapshots,
        review.json()["support"],
        float(table.column("nps")[0]),
    )


@pytest.mark.usefixtures("january")
@pytest.mark.parametrize("way", ["event", "put", "row"])
def test_an_answer_of_today_does_not_change_the_nps_of_january(
    client: TestClient, session: Session, way: str
) -> None:
    if way == "row":  # a row that was stored before versions were
        session.query(SurveyResponse).delete()
        session.execute(SurveyResponse.metadata.tables["engagement_object"].delete())
        for name, score in SCORES:
            row = {"response_id": name, "user_id": name, "kind": "nps", "score": score}
            known = {"workspace_id": "acme", "at": ANSWERED, "known_on": ANSWERED.date()}
            session.add(SurveyResponse(account_id="a1", **row, **known))
        session.commit()
    before = figures(client, session)
    assert (before[0], before[-1]) == ((25, 4), 7.5)

    if way == "put":
        answer = {"account_id": "a1", "user_id": "ada", "kind": "nps", "score": 0}
        put(client, "survey-responses/ada", answer)
    else:
        ingest(client, semantic_call("NPS Submitted", "m1", response_id="ada", score=0))

    assert figures(client, session) == before
    assert nps(client, since="2026-02-01", until="2026-03-18") == (None, 1)
    assert nps(client, until="2026-03-18") == (-25, 4), "9; 3 and 0: (1 - 2) / 4"
    assert client.get("/api/v1/survey-responses/ada").json()["score"] == 0
    listed = client.get("/api/v1/survey-responses", params={"limit": 2}).json()
    rest = client.get("/api/v1/survey-responses", params={"cursor": listed["next_cursor"]}).json()
    assert [each["score"] for each in (*listed["items"], *rest["items"])] == [0, 9, 8, 3]


def later_feedback(client: TestClient) -> None:
    put(client, "feedback-items/f1", FEEDBACK | {"topic": "import", "kind": "request"})
    patch = {"owner": "Ines", "status": "planned"}
    assert client.patch("/api/v1/feedback-items/f1", json=patch).status_code == 200
    resolve = client.post("/api/v1/feedback-items/f1/resolve", json={"outcome": "fixed"})
    assert resolve.json()["status"] == "fixed"
    call: Any = {"feedback_id": "f1", "outcome": "declined", "answer": "No."}
    ingest(client, semantic_call("Feedback Resolved", "m1", **call))


def later_goal(client: TestClient) -> None:
    put(client, "goals/g1", GOAL | {"due_on": "2026-09-01", "target": 1, "title": "More"})
    closed = client.patch("/api/v1/goals/g1", json={"closed_on": "2026-01-20"})
    assert closed.json()["closed_on"] == "2026-01-20"


def later_ticket(client: TestClient) -> None:
    times = {"replied_at": "2026-01-12T00:00:00Z", "closed_at": "2026-01-13T00:00:00Z"}
    ticket = put(client, "tickets/t1", {"account_id": "a1", "priority": "urgent", **times})
    assert (ticket["priority"], ticket["closed_at"]) == ("urgent", "2026-01-13T00:00:00Z")


def later_incident(client: TestClient) -> None:
    ended = {"ended_at": "2026-01-11T00:00:00Z", "apology_sent_at": "2026-01-12T00:00:00Z"}
    put(client, "incidents/i1", {"account_ids": ["a2"], "title": "Slow", **ended})
    earlier: Any = {"incident_id": "i1", "title": "Earlier"}
    ingest(client, semantic_call("Incident Declared", "m1", days=70, **earlier))


@pytest.mark.usefixtures("january")
@pytest.mark.parametrize("change", [later_feedback, later_goal, later_ticket, later_incident])
def test_a_change_of_today_does_not_change_january(
    client: TestClient, session: Session, change: Callable[[TestClient], None]
) -> None:
    before = figures(client, session)
    today = engagement_of(session)

    change(client)

    assert figures(client, session) == before
    assert engagement_of(session) != today


def test_a_ticket_that_closed_long_ago_was_open_until_that_was_known(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """200 days before the day the ticket was opened, one day later closed: known only today."""
    opened = datetime(2025, 7, 1, tzinfo=UTC)
    with client_at_time(sessions, client, opened) as then:
        put(then, "tickets/t1", {"account_id": "a1", "opened_at": opened.isoformat()})
    closed = {"account_id": "a1", "closed_at": (opened + timedelta(days=1)).isoformat()}
    put(client, "tickets/t1", closed)

    assert [each.ticket_id for each in engagement_of(session, LAST_DAY).open_tickets] == ["t1"]
    assert engagement_of(session).open_tickets == []


@pytest.mark.usefixtures("january")
def test_two_resolutions_are_known_from_their_days(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    first: Any = {"feedback_id": "f1", "outcome": "answered"}
    with client_at_time(sessions, client, ANSWERED + timedelta(days=5)) as then:
        call = semantic_call("Feedback Resolved", "m1", **first)
        ingest(then, call | {"timestamp": (ANSWERED + timedelta(days=5)).isoformat()})
    [topic] = get_report(client, "feedback", **JANUARY)["topics"]
    assert (topic["closed"], topic["median_days_to_close"]) == (1, 5)

    ingest(client, semantic_call("Feedback Resolved", "m2", feedback_id="f1", outcome="fixed"))

    assert get_report(client, "feedback", **JANUARY)["topics"] == [topic]
    assert engagement_of(session, LAST_DAY).resolved[0].status == "answered"
    now = get_report(client, "feedback", since="2026-01-01", until="2026-03-18")["topics"][0]
    assert now["median_days_to_close"] == (NOW.date() - ANSWERED.date()).days


@pytest.mark.usefixtures("january")
def test_the_same_body_again_adds_no_version(client: TestClient, session: Session) -> None:
    tables = ("survey_response", "feedback_item", "goal", "incident", "incident_account")
    before = [count_rows(session, table) for table in (*tables, "engagement_fact")]

    put(
        client,
        "survey-responses/dan",
        {"account_id": "a1", "user_id": "dan", "kind": "nps", "score": 3},
    )
    put(client, "feedback-items/f1", FEEDBACK)
    put(client, "goals/g1", GOAL | {"due_on": "2026-06-01"})
    put(client, "incidents/i1", {"account_ids": ["a1", "a2"], "title": "Down"})

    assert [count_rows(session, table) for table in (*tables, "engagement_fact")] == before
    assert before == [4, 1, 1, 1, 2, 4 + 1 + 1 + 3]
