"""The account a1 with usage, goals, tickets, a risk and interventions of every state."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.tables import (
    ChurnRiskHistory,
    Goal,
    HealthHistory,
    PersonRole,
    Plan,
    ProductFeature,
    Ticket,
    TicketMoment,
    User,
)
from tests import factories
from tests.conftest import NOW
from tests.reports.review.scenario import APPROVED, intervention


def measures(reach: float, per_dollar: float) -> list[dict[str, Any]]:
    row = {"raw": reach, "per_dollar": per_dollar, "median": 412, "score": 31.4}
    internal = {"name": "mood", "source": "trait:mood", "raw": 2, "per_dollar": None}
    return [{"name": "reach", "source": "reach", **row}, internal]


def add_history(session: Session, day: date, reach: float, **columns: Any) -> None:  # noqa: ANN401
    details = {
        "measures": measures(reach, reach / 5),
        "price_cents": 500_00,
        "currency": "USD",
        "inputs": {"adopted": ["export"], "plan": "pro", "active_users": 1, "reached": 30},
        "renewal_on": "2026-06-01",
        "notice_on": "2026-05-02",
        "entitlement": {"unused": [{"key": "campaigns", "share": 0.5, "cents": 250_00}]},
    }
    row = {"account_id": "a1", "as_of": day, "restatement": 0, "change": 0, "score": 31.4}
    row |= {"band": "at_risk", "status": "ok", "coverage": 1, "mrr_cents": 500_00}
    row |= {"details": details, "computed_at": NOW}
    session.add(HealthHistory(workspace_id="acme", **(row | columns)))


@pytest.fixture
def acme(session: Session) -> None:
    factories.workspace(session)
    owned = {"owner": "kim@vendor.example", "segment": "enterprise-7"}
    factories.account(session, "a1", name="Acme <b>&", **owned)
    for key in ("export", "campaigns"):
        feature = {"key": key, "name": key.title(), "event_names": [key.title()]}
        session.add(ProductFeature(workspace_id="acme", **feature))
    session.add(Plan(workspace_id="acme", key="pro", name="Professional", product_features=[]))
    for week, reach in enumerate((50.0, 40.0, 30.0)):
        add_history(session, date(2026, 3, 2) + timedelta(days=7 * week), reach)
    add_history(session, date(2026, 3, 3), 45.0)
    session.add(User(workspace_id="acme", user_id="u1", account_id="a1", name="Ada Lovelace"))
    session.add(PersonRole(workspace_id="acme", user_id="u1", role="champion", known_on=day(1)))
    for number, (replied, closed) in enumerate(((30, 60), (5000, None), (None, None))):
        ticket(session, number, replied, closed)
    goal: dict[str, Any] = {"account_id": "a1", "baseline": 0, "target": 100}
    goal |= {"starts_on": day(1), "due_on": date(2026, 12, 31), "known_on": day(1)}
    goals = (("g", "Send more", "reach"), ("upsell", "Double the price", "mrr"))
    for goal_id, title, metric in goals:
        named = {"goal_id": goal_id, "title": title, "metric": metric}
        session.add(Goal(workspace_id="acme", **named, **goal))
    risk: dict[str, Any] = {"level": "high", "probability": 0.8765, "risk": 0.8765, "details": {}}
    risk |= {"status": "ok", "stage": "trained", "model_version": 1, "horizon_days": 90}
    risk |= {"revenue_at_risk_cents": 1, "computed_at": NOW, "as_of": day(10)}
    session.add(ChurnRiskHistory(workspace_id="acme", account_id="a1", **risk))
    outcomes = {"30": {"succeeded": True, "health_score_change": 6.5, "retained": True}}
    done = {"done_at": NOW - timedelta(days=2), "outcomes": outcomes}
    intervention(session, 1, "done", **done)
    intervention(session, 2, "suggested")
    intervention(session, 3, "dismissed")
    intervention(session, 6, "accepted", rank=2, details={"texts": {"en": APPROVED}})
    unhelpful = {"30": {"succeeded": False}}
    intervention(session, 7, "done", done_at=NOW - timedelta(days=3), outcomes=unhelpful)
    session.commit()


def day(number: int) -> date:
    return date(2026, 3, number)


def ticket(session: Session, number: int, replied: int | None, closed: int | None) -> None:
    opened_at = datetime(2026, 3, 5, 9, tzinfo=UTC)
    after = [minutes and opened_at + timedelta(minutes=minutes) for minutes in (replied, closed)]
    row = {"ticket_id": str(number), "account_id": "a1", "opened_at": opened_at}
    row |= {"replied_at": after[0], "closed_at": after[1]}
    session.add(Ticket(workspace_id="acme", **row))
    session.flush()
    for kind, at in zip(("opened", "replied", "closed"), (opened_at, *after), strict=True):
        if at:
            moment = {"kind": kind, "at": at, "known_on": at.date()}
            session.add(TicketMoment(workspace_id="acme", ticket_id=str(number), **moment))
