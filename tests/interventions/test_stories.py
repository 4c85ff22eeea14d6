"""For every playbook a sequence of events that leads to its suggestion, through ingestion alone."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import pipeline
from app.core.db import SessionFactory
from app.core.languages import Language
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.template_fields import SIGNAL_FIELDS
from app.interventions.playbooks.templates import find_placeholders
from app.tables import LoyaltyTier, ProductFeature
from tests.conftest import NOW

EventJson = dict[str, Any]
Story = Callable[[], Sequence[EventJson]]


def event(name: str, days_ago: float, user: str = "ada", **properties: Any) -> EventJson:  # noqa: ANN401
    return {
        "event": name,
        "account_id": "a1",
        "user_id": user,
        "timestamp": (NOW - timedelta(days=days_ago)).isoformat(),
        "properties": properties,
    }


PROFILE = {"industry": "retail", "employees": 9, "end_customers": 20}


def profile(**traits: Any) -> EventJson:  # noqa: ANN401
    named = {"name": "Acme Ltd"} | (traits or PROFILE)
    return {"type": "group", "account_id": "a1", "user_id": "ada", "traits": named}


def customer(days: int = 200, *, mrr: int = 500, **terms: Any) -> list[EventJson]:  # noqa: ANN401
    """A paying customer with a complete profile."""
    defaults: EventJson = {"plan": "team", "mrr": mrr, "currency": "USD", "seats": 2}
    return [profile(), event("Subscription Started", days, **(defaults | terms))]


def use(first: int, last: int, *, name: str = "Export", users: str = "ada ben") -> list[EventJson]:
    """Use on each day from ``first`` to ``last`` days ago."""
    return [
        event(name, day, user, end_customer_id=f"c{(day + shift) % 20}")
        for day in range(first, last - 1, -1)
        for shift, user in enumerate(users.split())
    ]


def steady_use() -> list[EventJson]:
    return [*customer(), *use(100, 1)]


def incomplete_profile() -> list[EventJson]:
    _, contract = customer()
    return [profile(industry="retail"), contract, *use(100, 1)]


def stuck_in_onboarding() -> list[EventJson]:
    trial = {"trial_start_date": (NOW - timedelta(days=10)).isoformat()}
    return [profile(), event("Trial Started", 10, **trial)]


def waiting_for_support() -> list[EventJson]:
    return [*steady_use(), event("Ticket Created", 3, ticket_id="t1")]


def paying_for_nothing() -> list[EventJson]:
    """Broadcasts are in the plan but were never used, and the first year is over: two signals."""
    return [*customer(366), *use(100, 1)]


def waiting_for_an_answer() -> list[EventJson]:
    return [*steady_use(), event("Feedback Submitted", 12, kind="complaint", topic="exports")]


def passive_survey_answer() -> list[EventJson]:
    return [*steady_use(), event("NPS Submitted", 3, score=7)]


def close_to_gold() -> list[EventJson]:
    """The tier gold starts at 530 a month."""
    return steady_use()


def dormant() -> list[EventJson]:
    return [*customer(), *use(100, 40)]


def many_questions() -> list[EventJson]:
    tickets = [event("Ticket Created", day, ticket_id=f"t{day}") for day in (1, 2, 3, 4)]
    replies = [event("Ticket Replied", day - 0.01, ticket_id=f"t{day}") for day in (1, 2, 3, 4)]
    return [*steady_use(), *tickets, *replies]


def fewer_end_customers() -> list[EventJson]:
    alone = [event("Export", day, user) for day in range(28, 0, -1) for user in ("ada", "ben")]
    return [*customer(), *use(100, 29), *alone]


def hit_by_an_incident() -> list[EventJson]:
    return [*steady_use(), event("Incident Declared", 2, incident_id="i1", title="Exports lost")]


def about_to_renew() -> list[EventJson]:
    renewal = (NOW + timedelta(days=45)).date().isoformat()
    return [*customer(renewal_date=renewal), *use(100, 1)]


def promoter() -> list[EventJson]:
    return [*steady_use(), event("NPS Submitted", 3, score=10)]


def less_of_everything() -> list[EventJson]:
    return [*customer(), *use(100, 8)]


def price_rise() -> list[EventJson]:
    terms: EventJson = {"plan": "team", "mrr": 700, "currency": "USD", "seats": 2}
    return [*steady_use(), event("Subscription Updated", 20, **terms)]


def without_a_champion() -> list[EventJson]:
    return [*customer(), *use(100, 25, users="ada ada"), *use(100, 1, users="ben")]


def churned_and_fixed() -> list[EventJson]:
    return [
        *customer(),
        *use(100, 30),
        event("Feedback Submitted", 60, kind="complaint", feedback_id="f1", topic="slow exports"),
        event("Subscription Cancelled", 20, reason="slow"),
        event("Feedback Resolved", 2, feedback_id="f1", outcome="fixed"),
    ]


STORIES: dict[str, tuple[Story, str]] = {
    "know_the_account": (incomplete_profile, "profile_gaps"),
    "unblock_onboarding": (stuck_in_onboarding, "first_value_late"),
    "recover_support": (waiting_for_support, "support_slow"),
    "teach_unused_feature": (paying_for_nothing, "paid_feature_unused"),
    "close_feedback_loop": (waiting_for_an_answer, "feedback_unanswered"),
    "join_community": (passive_survey_answer, "nps_passive"),
    "climb_loyalty_tier": (close_to_gold, "tier_near"),
    "wake_the_dormant": (dormant, "dormant"),
    "improve_product": (many_questions, "ticket_surge"),
    "add_value": (fewer_end_customers, "reach_falling"),
    "apologise_for_incident": (hit_by_an_incident, "incident_affected"),
    "agree_success_plan": (about_to_renew, "renewal_near"),
    "ask_for_referral": (promoter, "referral_ready"),
    "put_to_the_test": (less_of_everything, "usage_drop_vs_self"),
    "right_size": (price_rise, "price_rise"),
    "find_next_champion": (without_a_champion, "champion_inactive"),
    "return_after_churn": (churned_and_fixed, "churned"),
}
"""By playbook a story and the signal that the suggestion should answer."""


def configure(session: Session, playbook: str) -> None:
    """Create product features and a loyalty tier: settings that no event contains."""
    for name in ("Export", "Broadcast") if playbook == "teach_unused_feature" else ("Export",):
        key = name.lower()
        session.add(ProductFeature(workspace_id="acme", key=key, name=name, event_names=[name]))
    if playbook == "climb_loyalty_tier":
        session.add(
            LoyaltyTier(
                workspace_id="acme",
                key="gold",
                name="Gold",
                position=1,
                metric="mrr",
                threshold=530,
            )
        )
    session.commit()


def evidence_fields(playbook: str, signal: str) -> set[str]:
    """Return the evidence fields that the message for a signal uses."""
    messages = shipped_playbooks()[playbook].texts[Language.EN].messages
    message = messages.get(signal, messages["default"])
    return {*find_placeholders(message.gets + message.step)} & SIGNAL_FIELDS[signal]


def test_every_playbook_has_a_story() -> None:
    assert set(STORIES) == set(shipped_playbooks())


@pytest.mark.parametrize("playbook", STORIES)
def test_a_story_leads_to_its_playbook(
    client: TestClient, session: Session, sessions: SessionFactory, playbook: str
) -> None:
    story, signal = STORIES[playbook]
    configure(session, playbook)
    events = [{**each, "message_id": f"m{number}"} for number, each in enumerate(story())]
    for number in range(0, len(events), 500):
        response = client.post("/api/v1/events", json=events[number : number + 500])
        assert response.json()["quarantined"] == 0, response.text
        assert not [each for each in response.json()["events"] if each["warnings"]], response.text
    while pipeline.refresh_due(sessions, now=NOW):
        pass

    items = client.get("/api/v1/accounts/a1/suggestions").json()["items"]

    by_playbook = {item["playbook"]: item for item in items}
    assert playbook in by_playbook, [(item["playbook"], item["signal"]) for item in items]
    item = by_playbook[playbook]
    assert item["signal"] == signal
    assert set(item["evidence"]) >= evidence_fields(playbook, signal)
    assert "Acme Ltd" in item["next_step"]
    assert "{" not in item["message"]
