"""From the calls of a product backend to the signals of an account, through ingestion."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import pipeline
from app.core.db import SessionFactory
from app.engagement.tables import OnboardingStep
from tests.conftest import NOW
from tests.lifecycle.id_changes import erase


def track(event: str, days: int, **properties: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "type": "track",
        "event": event,
        "userId": "ada",
        "messageId": f"{event} {days}",
        "timestamp": (NOW - timedelta(days=days)).isoformat(),
        "context": {"groupId": "acme"},
        "properties": properties,
    }


def signals(
    client: TestClient, session: Session, *calls: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    assert client.post("/v1/batch", json={"batch": calls}).status_code == 200
    pipeline.refresh(session, "acme", ["acme"], as_of=NOW.date(), now=NOW)
    session.commit()
    items = client.get("/api/v1/accounts/acme/signals").json()["items"]
    return {each["signal"]: each for each in items}


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (track("Ticket Created", 2, ticket_id="t1"), "support_slow"),
        (track("NPS Submitted", 3, score=4), "nps_detractor"),
        (track("NPS Submitted", 3, score=8), "nps_passive"),
        (track("NPS Submitted", 3, score=10), "nps_promoter"),
        (track("CSAT Submitted", 3, score=2), "csat_low"),
        (track("Feedback Submitted", 9, kind="complaint", text="Slow."), "feedback_unanswered"),
        (track("Incident Declared", 1, incident_id="i1", title="Outage"), "incident_affected"),
    ],
)
def test_an_engagement_event_opens_a_signal(
    client: TestClient, session: Session, call: dict[str, Any], name: str
) -> None:
    assert name in signals(client, session, call)


def test_an_unfinished_step_opens_onboarding_stuck(client: TestClient, session: Session) -> None:
    for position, key in enumerate(("account", "contacts")):
        step = {"key": key, "name": key.capitalize(), "position": position}
        session.add(OnboardingStep(workspace_id="acme", **step))
    session.commit()

    opened = signals(
        client,
        session,
        track("Opened", 20),
        track("Onboarding Step Completed", 12, step="account"),
    )

    assert opened["onboarding_stuck"]["key"] == "contacts"
    assert opened["onboarding_stuck"]["sentence"] == (
        'Onboarding has been at the step "Contacts" for 12 days.'
    )


@pytest.mark.parametrize(("plan", "rises"), [("pro", True), ("scale", False)])
def test_an_upgrade_to_a_larger_plan_is_not_a_price_rise(
    client: TestClient, session: Session, plan: str, *, rises: bool
) -> None:
    opened = signals(
        client,
        session,
        track("Subscription Started", 60, plan="pro", mrr=100),
        track("Subscription Updated", 9, plan=plan, mrr=300),
    )

    assert ("price_rise" in opened) == rises


def test_many_tickets_in_a_week_open_ticket_surge(client: TestClient, session: Session) -> None:
    created = [track("Ticket Created", days, ticket_id=f"t{days}") for days in (1, 2, 3)]
    replied = [track("Ticket Replied", days, ticket_id=f"t{days}") for days in (1, 2, 3)]

    opened = signals(client, session, *created, *replied)

    assert "ticket_surge" in opened
    assert "support_slow" not in opened


def test_an_erased_person_is_named_by_no_signal(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    opened = signals(client, session, track("NPS Submitted", 3, score=4))
    assert opened["nps_detractor"]["evidence"]["user_id"] == "ada"

    erase(client, sessions, "users/ada")

    rows = client.get("/api/v1/accounts/acme/signals", params={"all": True}).json()["items"]
    [row] = [row for row in rows if row["signal"] == "nps_detractor"]
    assert row["evidence"]["user_id"].startswith("erased-")
