from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.alerts import service
from app.tables import AlertState, Change, HealthScore, Workspace
from tests import factories
from tests.alerts.scenario import (
    activate_rule,
    create_accounts,
    refresh,
    sent_messages,
    sent_types,
    set_score,
    stored_alerts,
)
from tests.conftest import NOW

ALERTS = "/api/v1/alerts"
HOUR = timedelta(hours=1)


@pytest.fixture
def alert(client: TestClient, session: Session) -> str:
    """Open an alert of a rule without hold times and send its notification; return its id."""
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40, owner="kim")
    create_accounts(session, "a1", score=30)
    refresh(session, "a1", now=NOW - HOUR)
    session.commit()
    [listed] = client.get(ALERTS).json()["items"]
    return str(listed["id"])


def act(client: TestClient, alert: str, verb: str, **body: Any) -> Any:  # noqa: ANN401
    return client.post(f"{ALERTS}/{alert}/{verb}", json=body)


def test_an_alert_contains_account_rule_values_and_revenue_at_risk(
    client: TestClient, alert: str
) -> None:
    body = client.get(f"{ALERTS}/{alert}").json()

    assert (body["account_id"], body["rule"], body["state"]) == ("a1", "low", "open")
    assert (body["current"], body["threshold"], body["condition"]) == (30, 40, "below")
    assert (body["revenue_at_risk_cents"], body["revenue_at_risk_basis"]) == (0, "none")
    assert (body["assignee"], body["severity"], body["episode"]) == ("kim", "high", 1)
    assert body["drivers"] == ['"fit": 30; it gives 30.0 of 100.0 points.']


def test_pages_list_the_largest_revenue_at_risk_first(client: TestClient, session: Session) -> None:
    for number in range(5):
        factories.account(session, f"a{number}")
        factories.alert(session, f"a{number}")
        columns = {"mrr_cents": number % 3, "band": "at_risk"}
        row = HealthScore(workspace_id="acme", account_id=f"a{number}", **columns)
        session.add(row)
    session.commit()

    ids: list[str] = []
    cursor = None
    while cursor or not ids:
        page = client.get(ALERTS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ids += [item["account_id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]

    assert ids == ["a2", "a1", "a4", "a0", "a3"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {"a1", "a2"}),
        ({"state": "resolved"}, {"a3"}),
        ({"state": "all"}, {"a1", "a2", "a3"}),
        ({"state": "open"}, {"a1"}),
        ({"state": "acknowledged"}, {"a2"}),
        ({"state": "snoozed"}, set()),
        ({"severity": "low"}, {"a2"}),
        ({"rule": "other"}, set()),
        ({"account_id": "a1"}, {"a1"}),
        ({"assignee": "kim", "state": "all"}, {"a3"}),
    ],
)
def test_alerts_are_filtered(
    client: TestClient, session: Session, params: dict[str, str], expected: set[str]
) -> None:
    factories.alert(session, "a1")
    factories.alert(session, "a2", severity="low", acknowledged_at=NOW)
    factories.alert(session, "a3", resolved_at=NOW, assignee="kim")
    session.commit()

    items = client.get(ALERTS, params=params).json()["items"]

    assert {item["account_id"] for item in items} == expected


def test_acknowledging_twice_sends_one_message(
    client: TestClient, session: Session, alert: str
) -> None:
    responses = [act(client, alert, "acknowledge").json() for _ in range(2)]

    assert [response["state"] for response in responses] == ["acknowledged"] * 2
    assert responses[0]["acknowledged_by"].startswith("key:")
    assert sent_types(session) == ["alert.opened", "alert.acknowledged"]


def test_an_alert_is_assigned_and_unassigned(
    client: TestClient, session: Session, alert: str
) -> None:
    assert act(client, alert, "assign", assignee="lee").json()["assignee"] == "lee"
    assert act(client, alert, "assign", assignee=None).json()["assignee"] is None

    changes = session.scalars(select(Change).where(Change.type == "alert"))
    assert [row.data["what"] for row in changes] == ["opened", "assigned", "assigned"]


def test_a_snooze_holds_notifications_but_not_the_evaluation(
    client: TestClient, session: Session, alert: str
) -> None:
    until = NOW + 5 * HOUR
    body = act(client, alert, "snooze", until=until.isoformat()).json()
    assert body["snoozed_until"] == until.isoformat().replace("+00:00", "Z")
    session.execute(update(Workspace).values(swept_on=NOW.date()))

    set_score(session, 80, "a1")
    refresh(session, "a1", now=NOW + HOUR)
    set_score(session, 10, "a1")
    refresh(session, "a1", now=NOW + 2 * HOUR)
    service.send_held_notifications(session, now=NOW + 3 * HOUR)
    assert (sent_types(session), len(stored_alerts(session))) == (["alert.opened"], 2)

    service.send_held_notifications(session, now=until)
    assert sorted((data["episode"], kind) for kind, data in sent_messages(session)) == [
        (1, "alert.opened"),
        (1, "alert.resolved"),
        (2, "alert.opened"),
    ]


def test_a_snooze_can_be_ended(client: TestClient, alert: str) -> None:
    act(client, alert, "snooze", until=(NOW + HOUR).isoformat())

    assert act(client, alert, "snooze", until=None).json()["snoozed_until"] is None


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("until", [4_102_444_800, "4102444800", True])
def test_snoozing_until_a_number_is_rejected(client: TestClient, alert: str, until: object) -> None:
    response = act(client, alert, "snooze", until=until)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/body/until"


def test_snoozing_until_the_past_is_rejected(client: TestClient, alert: str) -> None:
    response = act(client, alert, "snooze", until=NOW.isoformat())

    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/body/until")


def test_a_manually_resolved_alert_does_not_reopen_while_the_breach_lasts(
    client: TestClient, session: Session, alert: str
) -> None:
    set_score(session, 22, "a1")
    refresh(session, "a1", now=NOW)
    body = act(client, alert, "resolve").json()
    assert (body["state"], body["resolution"]) == ("resolved", "by_hand")
    refresh(session, "a1", now=NOW + HOUR)
    assert sent_types(session) == ["alert.opened", "alert.resolved"]
    resolved = sent_messages(session)[1][1]
    assert (resolved["previous"], resolved["current"], resolved["reason"]) == (30, 22, "by_hand")

    for turn, score in enumerate((80, 20)):
        set_score(session, score, "a1")
        refresh(session, "a1", now=NOW + (turn + 2) * HOUR)

    assert sent_types(session)[2:] == ["alert.opened"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("acknowledge", {}),
        ("resolve", {}),
        ("assign", {"assignee": "lee"}),
        ("snooze", {"until": None}),
    ],
)
def test_actions_on_a_resolved_alert_are_rejected(
    client: TestClient, alert: str, verb: str, body: dict[str, Any]
) -> None:
    act(client, alert, "resolve")

    response = act(client, alert, verb, **body)

    assert (response.status_code, response.json()["code"]) == (409, "alert_resolved")


def test_feedback_counts_in_the_statistics_of_the_rule(client: TestClient, alert: str) -> None:
    act(client, alert, "resolve")

    body = act(client, alert, "feedback", verdict="false_positive", note="On holiday.").json()

    assert (body["feedback"], body["feedback_note"]) == ("false_positive", "On holiday.")
    stats = client.get("/api/v1/alert-rules/low/stats").json()
    assert (stats["opened"], stats["open"], stats["resolved"]) == (1, 0, 1)
    assert (stats["false_positive"], stats["false_positive_rate"]) == (1, 1.0)


def test_a_waiting_account_becomes_due_through_time_alone(
    client: TestClient, session: Session
) -> None:
    activate_rule(
        session, "low", signal="health_score", operator="below", fire_at=40, for_seconds=60
    )
    create_accounts(session, "a1", score=30)
    refresh(session, "a1")
    assert client.get(ALERTS).json()["items"] == []

    assert service.mark_waiting_accounts_due(session, now=NOW + timedelta(seconds=59)) == 0
    assert service.mark_waiting_accounts_due(session, now=NOW + timedelta(seconds=60)) == 1
    refresh(session, "a1", now=NOW + timedelta(seconds=61))

    assert sent_types(session) == ["alert.opened"]
    assert session.scalars(select(AlertState.check_at)).all() == [None]
