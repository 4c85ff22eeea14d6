"""Every playbook is reached by a story that is told through ingestion alone."""

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

Told = dict[str, Any]
Story = Callable[[], Sequence[Told]]


def event(name: str, days_ago: float, user: str = "ada", **properties: Any) -> Told:  # noqa: ANN401
    return {
        "event": name,
        "account_id": "a1",
        "user_id": user,
        "timestamp": (NOW - timedelta(days=days_ago)).isoformat(),
        "properties": properties,
    }


PROFILE = {"industry": "retail", "employees": 9, "end_customers": 20}


def profile(**traits: Any) -> Told:  # noqa: ANN401
    named = {"name": "Acme Ltd"} | (traits or PROFILE)
    return {"type": "group", "account_id": "a1", "user_id": "ada", "traits": named}


def customer(days: int = 200, *, mrr: int = 500, **terms: Any) -> list[Told]:  # noqa: ANN401
    """Somebody who pays, and of whom everything is known."""
    said: Told = {"plan": "team", "mrr": mrr, "currency": "USD", "seats": 2} | terms
    return [profile(), event("Subscription Started", days, **said)]


def use(first: int, last: int, *, name: str = "Export", users: str = "ada ben") -> list[Told]:
    """Use on each day, from so many days ago until so many days ago."""
    return [
        event(name, day, user, end_customer_id=f"c{(day + shift) % 20}")
        for day in range(first, last - 1, -1)
        for shift, user in enumerate(users.split())
    ]


def steady() -> list[Told]:
    return [*customer(), *use(100, 1)]


def nobody_knows_them() -> list[Told]:
    _, contract = customer()
    return [profile(industry="retail"), contract, *use(100, 1)]


def stuck_at_the_beginning() -> list[Told]:
    trial = {"trial_start_date": (NOW - timedelta(days=10)).isoformat()}
    return [profile(), event("Trial Started", 10, **trial)]


def waiting_for_support() -> list[Told]:
    return [*steady(), event("Ticket Created", 3, ticket_id="t1")]


def paying_for_nothing() -> list[Told]:
    """Broadcasts are in the plan and were never sent, and the first year is full: two reasons."""
    return [*customer(366), *use(100, 1)]


def waiting_for_an_answer() -> list[Told]:
    return [*steady(), event("Feedback Submitted", 12, kind="complaint", topic="exports")]


def lukewarm() -> list[Told]:
    return [*steady(), event("NPS Submitted", 3, score=7)]


def close_to_gold() -> list[Told]:
    """Gold begins at 530 a month."""
    return steady()


def silent() -> list[Told]:
    return [*customer(), *use(100, 40)]


def many_questions() -> list[Told]:
    tickets = [event("Ticket Created", day, ticket_id=f"t{day}") for day in (1, 2, 3, 4)]
    replies = [event("Ticket Replied", day - 0.01, ticket_id=f"t{day}") for day in (1, 2, 3, 4)]
    return [*steady(), *tickets, *replies]


def fewer_end_customers() -> list[Told]:
    alone = [event("Export", day, user) for day in range(28, 0, -1) for user in ("ada", "ben")]
    return [*customer(), *use(100, 29), *alone]


def hit_by_an_incident() -> list[Told]:
    return [*steady(), event("Incident Declared", 2, incident_id="i1", title="Exports lost")]


def about_to_renew() -> list[Told]:
    renewal = (NOW + timedelta(days=45)).date().isoformat()
    return [*customer(renewal_date=renewal), *use(100, 1)]


def happy() -> list[Told]:
    return [*steady(), event("NPS Submitted", 3, score=10)]


def less_of_everything() -> list[Told]:
    return [*customer(), *use(100, 8)]


def dearer() -> list[Told]:
    terms: Told = {"plan": "team", "mrr": 700, "currency": "USD", "seats": 2}
    return [*steady(), event("Subscription Updated", 20, **terms)]


def without_a_champion() -> list[Told]:
    return [*customer(), *use(100, 25, users="ada ada"), *use(100, 1, users="ben")]


def gone_and_made_good() -> list[Told]:
    return [
        *customer(),
        *use(100, 30),
        event("Feedback Submitted", 60, kind="complaint", feedback_id="f1", topic="slow exports"),
        event("Subscription Cancelled", 20, reason="slow"),
        event("Feedback Resolved", 2, feedback_id="f1", outcome="fixed"),
    ]


STORIES: dict[str, tuple[Story, str]] = {
    "know_the_account": (nobody_knows_them, "profile_gaps"),
    "unblock_onboarding": (stuck_at_the_beginning, "first_value_late"),
    "recover_support": (waiting_for_support, "support_slow"),
    "teach_unused_feature": (paying_for_nothing, "paid_feature_unused"),
    "close_feedback_loop": (waiting_for_an_answer, "feedback_unanswered"),
    "join_community": (lukewarm, "nps_passive"),
    "climb_loyalty_tier": (close_to_gold, "tier_near"),
    "wake_the_dormant": (silent, "dormant"),
    "improve_product": (many_questions, "ticket_surge"),
    "add_value": (fewer_end_customers, "reach_falling"),
    "apologise_for_incident": (hit_by_an_incident, "incident_affected"),
    "agree_success_plan": (about_to_renew, "renewal_near"),
    "ask_for_referral": (happy, "referral_ready"),
    "put_to_the_test": (less_of_everything, "usage_drop_vs_self"),
    "right_size": (dearer, "price_rise"),
    "find_next_champion": (without_a_champion, "champion_inactive"),
    "return_after_churn": (gone_and_made_good, "churned"),
}
"""By playbook a story, and the signal that is to be answered."""


def configure(session: Session, playbook: str) -> None:
    """Say what the product has, and what a tier asks for: settings, of which no event tells."""
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


def asked_of(playbook: str, signal: str) -> set[str]:
    """Name the numbers of a signal that the message for it says."""
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
    told = [{**each, "message_id": f"m{number}"} for number, each in enumerate(story())]
    for number in range(0, len(told), 500):
        answer = client.post("/api/v1/events", json=told[number : number + 500])
        assert answer.json()["quarantined"] == 0, answer.text
        assert not [each for each in answer.json()["events"] if each["warnings"]], answer.text
    while pipeline.refresh_due(sessions, now=NOW):
        pass

    items = client.get("/api/v1/accounts/a1/suggestions").json()["items"]

    found = {item["playbook"]: item for item in items}
    assert playbook in found, [(item["playbook"], item["signal"]) for item in items]
    item = found[playbook]
    assert item["signal"] == signal
    assert set(item["evidence"]) >= asked_of(playbook, signal)
    assert "Acme Ltd" in item["next_step"]
    assert "{" not in item["message"]
