"""An account to which everything happened that a timeline can show."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.tables import (
    FeedbackItem,
    Goal,
    HealthScore,
    Incident,
    IncidentAccount,
    Note,
    OnboardingCompletion,
    OnboardingStep,
    Plan,
    Sentiment,
    SurveyResponse,
    Task,
    Ticket,
    User,
)
from tests import factories
from tests.conftest import NOW

KIM = "Kim"
OWN = {"workspace_id": "acme", "account_id": "a1"}


def at(days_ago: int) -> datetime:
    return NOW - timedelta(days=days_ago)


def day(days_ago: int) -> date:
    return at(days_ago).date()


def add_actions(session: Session) -> None:
    factories.alert(session, "a1", opened_at=at(50), resolved_at=at(40))
    texts = {"en": {"name": "Call them"}, "zh": {"name": "致电客户"}}
    decided = {"details": {"texts": texts}, "decided_at": at(39)}
    factories.intervention(session, "a1", id="i1", state="done", done_at=at(30), **decided)
    dismissed = decided | {"reason": "Not now.", "state": "dismissed"}
    factories.intervention(session, "a1", id="i2", **dismissed)
    factories.intervention(session, "a1", id="i3")
    factories.scorecard(session, {})
    evidence = {"days": 14, "last_used_on": "2026-02-01"}
    signal = {"signal": "dormant", "severity": "high", "evidence": evidence}
    factories.signal(session, "a1", opened_at=at(20), cleared_at=at(10), **signal)


def add_contract(session: Session) -> None:
    """100 USD for 5 seats, then 150 for 8, then 120 on another plan; it ended a week ago."""
    session.add(Plan(workspace_id="acme", key="pro", name="Pro"))
    terms = ((300, 200, 100, "team", 5), (200, 100, 150, "team", 8), (100, 7, 120, "pro", 8))
    for start, end, price, plan, seats in terms:
        factories.subscription(
            session,
            "a1",
            starts_on=day(start),
            ends_on=day(end),
            mrr_cents=price * 100,
            plan=plan,
            seats=seats,
            end_reason="too expensive" if end == 7 else None,
        )


def add_engagement(session: Session) -> None:
    session.add(User(workspace_id="acme", user_id="ada", name="Ada", created_at=at(400)))
    ticket = {"ticket_id": "t1", "subject": "Export", "opened_at": at(60), "closed_at": at(59)}
    session.add(Ticket(**OWN, **ticket))
    for key, kind, score in (("r1", "nps", 9), ("r2", "csat", 2)):
        known = {"known_on": day(58), "at": at(58), "score": score, "kind": kind}
        session.add(SurveyResponse(**OWN, response_id=key, user_id="ada", **known))
    feedback = {"kind": "request", "topic": "audit log", "at": at(57), "known_on": day(57)}
    resolved = {"status": "shipped", "resolved_at": at(56)}
    session.add(FeedbackItem(**OWN, feedback_id="f1", **feedback, **resolved))
    goal = {"title": "1,000 exports", "metric": "events", "baseline": 0, "target": 1000}
    days = {"starts_on": day(55), "due_on": day(1), "closed_on": day(54), "known_on": day(55)}
    session.add(Goal(**OWN, goal_id="g1", **goal, **days))
    incident = {"incident_id": "x1", "known_on": day(53)}
    times = {"title": "No mail", "declared_at": at(53), "ended_at": at(52)}
    session.add(Incident(workspace_id="acme", **incident, **times))
    session.add(IncidentAccount(**OWN, **incident, apology_sent_at=at(51)))
    session.add(OnboardingStep(workspace_id="acme", key="invite", name="Invite", position=1))
    for late in (0, 1):  # the earliest time counts
        step = {"step_key": "invite", "known_on": day(45 + late), "user_id": ""}
        session.add(OnboardingCompletion(**OWN, **step, done_at=at(45 - late)))


def add_people(session: Session) -> None:
    """Bob is silent for four weeks since the 9th day ago, after a week of use.

    Eve came once; Mia used it yesterday.
    """
    for key, name in (("bob", "Bob"), ("eve", "Eve"), ("mia", "Mia")):
        joined = {"account_id": "a1", "account_since": at(70), "created_at": at(70)}
        session.add(User(workspace_id="acme", user_id=key, name=name, **joined))
    for back in (44, 38, 37):
        factories.usage(session, day(back), user_id="bob")
    factories.usage(session, day(60), user_id="eve")
    for back in (3, 2, 1):
        factories.usage(session, day(back), user_id="mia")
    factories.first_use(session, day(60))
    score = {"status": "ok", "score": 50.0, "details": {"last_used_on": day(1).isoformat()}}
    session.add(HealthScore(**OWN, **score))


def add_writing(session: Session) -> None:
    note = {"participants": [], "author": KIM, "version": 1, "created_at": at(5)}
    for position, kind in enumerate(("note", "call", "meeting", "email")):
        text = f"They will\nrenew{' again' * 100 if kind == 'note' else '.'}"
        session.add(Note(**OWN, id=f"n{position}", kind=kind, text=text, at=at(5), **note))
    task = {"title": "Send the offer", "created_at": at(4), "author": KIM}
    session.add(Task(**OWN, id="t1", **task, done_at=at(3), done_by="Lee"))
    session.add(Sentiment(**OWN, value=2, reason="A new director.", author=KIM, at=at(2)))


def add_everything(session: Session) -> None:
    for add in (add_actions, add_contract, add_engagement, add_people, add_writing):
        add(session)
    session.commit()
