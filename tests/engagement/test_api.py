"""Steps, tiers, tickets, surveys, feedback, goals, incidents and roles over HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import DAY, engagement_of, semantic_call
from tests.events.calls import ingest, text_rows
from tests.lifecycle.id_changes import columns_mentioning, erase, move_account

LATER = (NOW + DAY).date().isoformat()
GOAL = {"account_id": "a1", "title": "Send", "metric": "events", "target": 8, "due_on": LATER}


def put(client: TestClient, path: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401
    """Put twice and expect the same answer."""
    answers = [client.put(f"/api/v1/{path}", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json()
    result: dict[str, Any] = answers[0].json()
    return result


def rejected(client: TestClient, path: str, **body: Any) -> tuple[int, str]:  # noqa: ANN401
    answer = client.put(f"/api/v1/{path}", json=body)
    return answer.status_code, answer.json()["code"]


def ids(client: TestClient, path: str, name: str, **filters: object) -> list[str]:
    """Return all ids of a list, read one item per page."""
    params: dict[str, Any] = {**filters, "limit": 1}
    pages = [client.get(f"/api/v1/{path}", params=params).json()]
    while pages[-1]["next_cursor"] and len(pages) < 9:
        params["cursor"] = pages[-1]["next_cursor"]
        pages.append(client.get(f"/api/v1/{path}", params=params).json())
    return [item[name] for page in pages for item in page["items"]]


def actions(session: Session) -> list[str]:
    return [row[0] for row in text_rows(session, "SELECT action FROM audit_entry ORDER BY id")]


def test_put_adds_fields_to_a_ticket(client: TestClient, session: Session) -> None:
    opened = (NOW - DAY).isoformat()
    put(client, "tickets/t1", account_id="a1", user_id="ada", channel="Chat", opened_at=opened)

    ticket = put(client, "tickets/t1", account_id="a1", closed_at=NOW.isoformat(), subject="Help")

    assert (ticket["opened_at"], ticket["closed_at"]) == (
        "2026-03-17T12:00:00Z",
        "2026-03-18T12:00:00Z",
    )
    assert (ticket["user_id"], ticket["channel"], ticket["subject"]) == ("ada", "Chat", "Help")
    ticket = put(client, "tickets/t1", account_id="a1", priority="urgent")
    assert (ticket["priority"], ticket["subject"]) == ("urgent", "Help")
    put(client, "tickets/t2", account_id="a2")
    assert ids(client, "tickets", "ticket_id") == ["t1", "t2"]
    assert ids(client, "tickets", "ticket_id", closed=False) == ["t2"]
    assert ids(client, "tickets", "ticket_id", account_id="a1") == ["t1"]
    assert engagement_of(session, account_id="a2").open_tickets[0].waiting_minutes == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tickets/x", {}),
        ("survey-responses/x", {"kind": "nps", "score": 3}),
        ("feedback-items/x", {"kind": "praise"}),
        ("goals/x", GOAL),
    ],
)
def test_an_object_of_another_account_is_rejected(
    client: TestClient, path: str, body: dict[str, Any]
) -> None:
    put(client, path, **(body | {"account_id": "a1"}))

    assert rejected(client, path, **(body | {"account_id": "a2"})) == (409, "belongs_elsewhere")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tickets/x", {"opened_at": "2026-03-18T12:00:00"}),
        ("tickets/x", {"opened_at": "1066-10-14T09:00:00Z"}),
        ("survey-responses/x", {"kind": "nps", "score": 7.5}),
        ("survey-responses/x", {"kind": "csat", "score": 0}),
        ("survey-responses/x", {"kind": "ces", "score": 1}),
        ("feedback-items/x", {"kind": "rant"}),
        ("goals/x", GOAL | {"due_on": NOW.date().isoformat()}),
        ("goals/x", GOAL | {"metric": "trait"}),
        ("goals/x", GOAL | {"metric": "trait", "trait": "nps"}),
        ("loyalty-tiers/x", {"position": 1, "metric": "mrr", "trait": "x", "threshold": 1}),
        ("onboarding-steps/x", {"position": -1}),
        ("users/ada/roles", {"roles": ["king"]}),
    ],
)
def test_invalid_bodies_are_rejected(client: TestClient, path: str, body: dict[str, Any]) -> None:
    client.put("/api/v1/users/ada", json={})
    settings = ("loyalty-tiers", "onboarding-steps", "users")
    of_account = {} if path.startswith(settings) else {"account_id": "a1"}

    assert rejected(client, path, **(of_account | body))[0] == 422


def test_survey_responses_are_filtered_by_kind_and_user(
    client: TestClient, session: Session
) -> None:
    put(client, "survey-responses/r1", account_id="a1", user_id="ada", kind="nps", score=9)
    put(client, "survey-responses/r2", account_id="a1", user_id="bob", kind="csat", score=4.5)

    assert ids(client, "survey-responses", "response_id") == ["r1", "r2"]
    assert ids(client, "survey-responses", "response_id", kind="csat") == ["r2"]
    assert ids(client, "survey-responses", "response_id", user_id="ada") == ["r1"]
    assert (engagement_of(session).nps.mean, engagement_of(session).csat.mean) == (9, 4.5)


def test_feedback_is_planned_and_resolved_with_a_message(
    client: TestClient, session: Session
) -> None:
    put(client, "feedback-items/f1", account_id="a1", user_id="ada", kind="request", topic="ui")
    work = {"owner": "Ines", "due_on": "2026-04-01", "status": "planned"}
    assert client.patch("/api/v1/feedback-items/f1", json=work).json()["owner"] == "Ines"
    assert ids(client, "feedback-items", "feedback_id", status="planned", owner="Ines") == ["f1"]

    resolve = "/api/v1/feedback-items/f1/resolve"
    done = [
        client.post(resolve, json={"outcome": "shipped", "answer": "It is out."}) for _ in range(2)
    ]

    assert done[0].json() == done[1].json()
    assert (done[0].json()["status"], done[0].json()["told_at"]) == (
        "shipped",
        "2026-03-18T12:00:00Z",
    )
    messages = text_rows(session, "SELECT type, account_id, body FROM message")
    assert [row[:2] for row in messages] == [("feedback.resolved", "a1")]
    assert json.loads(bytes(messages[0][2]))["data"]["user_id"] == "ada"
    assert client.post(resolve, json={"outcome": "declined"}).json()["code"] == "already_resolved"
    assert client.patch("/api/v1/feedback-items/f1", json=work).status_code == 409
    assert put(client, "feedback-items/f1", account_id="a1", kind="request")["status"] == "shipped"
    assert [item.feedback_id for item in engagement_of(session).shipped_requests] == ["f1"]
    assert actions(session).count("feedback_item.resolved") == 1


def test_a_goal_starts_at_the_current_value_and_has_progress(
    client: TestClient, session: Session
) -> None:
    ingest(client, semantic_call("Export", "m1", days=2), semantic_call("Export", "m2", days=1))
    assert put(client, "goals/g1", **GOAL)["baseline"] == 2

    ingest(client, *(semantic_call("Export", f"n{n}") for n in range(3)))

    [goal] = client.get("/api/v1/accounts/a1/goals").json()["items"]
    assert (goal["value"], goal["share"], goal["progress"]) == (5, 0.5, "on_track")
    changed = client.patch("/api/v1/goals/g1", json={"target": 5}).json()
    assert changed["target"] == 5
    assert engagement_of(session).goals[0].progress == "achieved"
    assert client.patch("/api/v1/goals/g1", json={"due_on": "2026-01-01"}).status_code == 422
    client.patch("/api/v1/goals/g1", json={"closed_on": NOW.date().isoformat()})
    assert client.get("/api/v1/accounts/a1/goals").json()["items"] == []
    assert ids(client, "goals", "goal_id", closed=True) == ["g1"]


def test_the_onboarding_of_an_account_is_returned(client: TestClient, session: Session) -> None:
    factories.account(session, "a1", started_on=(NOW - 9 * DAY).date())
    assert client.get("/api/v1/accounts/a1/onboarding").json()["steps"] == []
    put(client, "onboarding-steps/invite", position=1, target_days=3)
    put(client, "onboarding-steps/send", position=2, name="Send")
    ingest(client, semantic_call("Onboarding Step Completed", "m1", days=4, step="invite"))

    onboarding = client.get("/api/v1/accounts/a1/onboarding").json()

    assert (onboarding["started_on"], onboarding["current"], onboarding["days_in_step"]) == (
        "2026-03-09",
        "send",
        4,
    )
    assert (onboarding["done_share"], onboarding["steps"][0]["done_at"]) == (
        0.5,
        "2026-03-14T12:00:00Z",
    )
    assert client.delete("/api/v1/onboarding-steps/invite").status_code == 204
    assert ids(client, "onboarding-steps", "key") == ["send"]
    assert text_rows(session, "SELECT 1 FROM onboarding_completion") == []
    assert actions(session)[-3:] == [
        "onboarding_step.created",
        "onboarding_step.created",
        "onboarding_step.deleted",
    ]


def test_the_highest_reached_tier_counts(client: TestClient, session: Session) -> None:
    ingest(client, semantic_call("Export", "m1"), semantic_call("Export", "m2"))
    put(client, "loyalty-tiers/gold", position=2, metric="events", threshold=5)
    put(client, "loyalty-tiers/silver", position=1, metric="events", threshold=2, name="Silver")

    tier = engagement_of(session).tier

    assert tier is not None
    assert (tier.name, tier.next_name, tier.missing) == ("Silver", "gold", 3)
    assert client.delete("/api/v1/loyalty-tiers/silver").status_code == 204
    assert ids(client, "loyalty-tiers", "key") == ["gold"]


def test_an_incident_has_its_affected_accounts(client: TestClient, session: Session) -> None:
    for account_id in ("a1", "a2", "a3"):
        factories.account(session, account_id)
    put(client, "incidents/i1", account_ids=["a1", "a2"], title="Down")

    incident = put(
        client,
        "incidents/i1",
        account_ids=["a2", "a3"],
        ended_at=(NOW + timedelta(hours=1)).isoformat(),
        apology_sent_at=NOW.isoformat(),
    )

    at = "2026-03-18T12:00:00Z"
    assert incident["accounts"] == [{"account_id": n, "apology_sent_at": at} for n in ("a2", "a3")]
    assert (
        engagement_of(session).incidents,
        len(engagement_of(session, account_id="a3").incidents),
    ) == ([], 1)
    assert ids(client, "incidents", "incident_id", ended=True) == ["i1"]
    assert rejected(client, "incidents/i2", account_ids=["nobody"]) == (404, "not_found")


def test_users_have_roles_besides_their_job(client: TestClient, session: Session) -> None:
    client.put("/api/v1/users/ada", json={"account_id": "a1", "role": "admin"})
    put(client, "users/ada/roles", roles=["sponsor", "champion"])
    put(client, "users/ada/roles", roles=["champion"])

    assert client.get("/api/v1/users/ada/roles").json()["roles"] == ["champion"]
    assert (engagement_of(session).champions, engagement_of(session).sponsors) == (["ada"], [])
    put(client, "users/ada/roles", roles=["sponsor"])
    assert engagement_of(session).sponsors == ["ada"]


def test_texts_of_an_erased_person_are_deleted_and_the_id_is_refused(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    client.put("/api/v1/users/zz-ada", json={"account_id": "a1"})
    put(client, "tickets/t1", account_id="a1", user_id="zz-ada", subject="zz-help")
    owner = {"account_id": "a1", "user_id": "zz-ada"}
    put(client, "survey-responses/r1", kind="nps", score=3, comment="zz-bad", **owner)
    put(client, "feedback-items/f1", kind="complaint", text="zz-slow", **owner)
    put(client, "users/zz-ada/roles", roles=["champion"])

    erase(client, sessions, "users/zz-ada")

    assert columns_mentioning(session, ["zz-"]) == set()
    assert (
        len(engagement_of(session).nps.detractors),
        len(engagement_of(session).open_tickets),
    ) == (1, 1)
    assert rejected(client, "tickets/t2", **owner) == (409, "erased")


def test_a_renamed_account_has_all_its_engagement(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    ticket = semantic_call("Ticket Created", "m1", ticket_id="t1")
    ingest(client, ticket, semantic_call("NPS Submitted", "m2", score=2))
    put(client, "goals/g1", **GOAL)
    put(client, "incidents/i1", account_ids=["a1"])

    move_account(client, sessions, "a1", "rename", account_id="b1")
    ingest(client, semantic_call("Incident Declared", "m3", incident_id="i2", account_ids=["a1"]))

    found = engagement_of(session, account_id="b1")
    assert [each.ticket_id for each in found.open_tickets] == ["t1"]
    assert (len(found.nps.responses), len(found.goals), len(found.incidents)) == (1, 1, 2)
    assert ids(client, "tickets", "ticket_id", account_id="a1") == ["t1"]
