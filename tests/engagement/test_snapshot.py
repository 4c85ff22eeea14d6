"""The engagement of an account as of a day, from rows as ingestion writes them."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core.db import Table
from app.engagement.queries import load_engagement
from app.engagement.snapshot import Engagement, GoalStatus
from app.tables import (
    FeedbackItem,
    Goal,
    Incident,
    IncidentAccount,
    LoyaltyTier,
    OnboardingCompletion,
    OnboardingStep,
    PersonRole,
    SurveyResponse,
    Ticket,
    TicketMoment,
    User,
)
from tests import factories
from tests.conftest import NOW

TODAY = NOW.date()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def on(days: int) -> date:
    return TODAY - timedelta(days=days)


def add(session: Session, row: Table) -> None:
    row.workspace_id = "acme"  # type: ignore[attr-defined]
    session.add(row)
    session.flush()


def engagement_of(session: Session, as_of: date = TODAY, account_id: str = "a1") -> Engagement:
    session.flush()
    return load_engagement(session, "acme", [account_id], as_of=as_of, now=NOW)[account_id]


def ticket(
    session: Session,
    ticket_id: str,
    *moments: tuple[str, datetime, date],
    **columns: Any,  # noqa: ANN401
) -> None:
    opened = next((at for kind, at, _ in moments if kind == "opened"), None)
    closed = next((at for kind, at, _ in moments if kind == "closed"), None)
    row = {"account_id": "a1", "opened_at": opened, "closed_at": closed}
    add(session, Ticket(ticket_id=ticket_id, **row))
    for kind, at, known_on in moments:
        moment = {"kind": kind, "at": at, "known_on": known_on}
        add(session, TicketMoment(ticket_id=ticket_id, **moment, **columns))


@pytest.fixture(autouse=True)
def account(session: Session) -> None:
    factories.account(session, "a1", started_on=on(100), traits_at=ago(50))


def test_an_account_without_data_has_an_empty_snapshot(session: Session) -> None:
    found = engagement_of(session)

    assert (found.open_tickets, found.unanswered, found.goals, found.tier) == ([], [], [], None)
    assert (found.nps.mean, found.onboarding, found.champions) == (None, None, [])
    assert found.tickets[7].opened == 0
    assert found.tickets[7].first_reply_minutes is None


def test_an_open_ticket_waits_until_now_and_on_a_past_day_until_its_end(session: Session) -> None:
    ticket(session, "t1", ("opened", ago(2), on(2)), priority="urgent")

    [waiting] = engagement_of(session).open_tickets
    [before] = engagement_of(session, on(1)).open_tickets

    assert (waiting.waiting_minutes, waiting.standard_minutes, waiting.is_late) == (2880, 120, True)
    assert before.waiting_minutes == 36 * 60
    assert engagement_of(session, on(3)).open_tickets == []


def test_a_past_day_has_no_reply_that_became_known_later(session: Session) -> None:
    ticket(session, "t1", ("opened", ago(5), on(5)), ("replied", ago(4), on(1)))

    assert engagement_of(session, on(2)).open_tickets[0].replied_at is None
    assert engagement_of(session, on(1)).open_tickets[0].replied_at == ago(4)


def test_a_ticket_closed_later_or_reopened_is_open_in_between(session: Session) -> None:
    moments = (("opened", 9), ("closed", 6), ("reopened", 4), ("closed", 2))
    ticket(session, "t1", *((kind, ago(days), on(days)) for kind, days in moments))

    open_on = [days for days in (8, 5, 3, 1) if engagement_of(session, on(days)).open_tickets]

    assert open_on == [8, 3]


def test_tickets_are_counted_by_window_with_their_replies(session: Session) -> None:
    ticket(session, "t1", ("opened", ago(3), on(3)), ("replied", ago(2.5), on(3)))
    ticket(session, "t2", ("opened", ago(8), on(8)), ("replied", ago(6), on(6)))
    ticket(session, "t3", ("opened", ago(40), on(40)), ("closed", ago(40), on(40)))

    counts = engagement_of(session).tickets

    assert {days: (each.opened, each.opened_before) for days, each in counts.items()} == {
        7: (1, 1),
        28: (2, 1),
        90: (3, 0),
    }
    assert (counts[28].first_reply_minutes, counts[28].late) == ((720 + 2880) / 2, 1)


def test_the_latest_answer_of_each_user_counts_for_ninety_days(session: Session) -> None:
    for n, (user_id, score, days) in enumerate(
        [("ada", 3, 50), ("ada", 9, 10), ("bob", 7, 20), ("cy", 0, 120), (None, 2, 5)]
    ):
        columns = {"user_id": user_id, "score": score, "at": ago(days), "known_on": on(days)}
        add(session, SurveyResponse(response_id=f"r{n}", account_id="a1", kind="nps", **columns))

    now, before = engagement_of(session).nps, engagement_of(session, on(12)).nps

    assert [response.score for response in now.responses] == [2, 9, 7]
    assert (len(now.detractors), len(now.passives), len(now.promoters)) == (1, 1, 1)
    assert (now.mean, [response.score for response in before.responses]) == (6, [7, 3])


def test_feedback_is_unanswered_until_its_outcome_was_known(
    session: Session,
) -> None:
    resolved = {"status": "shipped", "resolved_at": ago(4), "resolved_known_on": on(3)}
    item = {"account_id": "a1", "kind": "request", "at": ago(10), "known_on": on(10)}
    add(session, FeedbackItem(feedback_id="f1", notified_at=ago(3), **resolved, **item))

    before = engagement_of(session, on(4))

    assert [(f.feedback_id, f.age_days, f.status) for f in before.unanswered] == [("f1", 6, "open")]
    assert before.resolved == []
    assert [f.notified_at for f in engagement_of(session).shipped_requests] == [ago(3)]


def test_onboarding_has_the_current_step_its_days_and_the_pace_of_peers(session: Session) -> None:
    for position, key in enumerate(["invite", "import", "send"]):
        add(session, OnboardingStep(key=key, name=key, position=position, target_days=5))
    for account_id, days in (("p1", 2), ("p2", 4), ("p3", 8)):
        factories.account(session, account_id, started_on=on(60))
        for key, after in (("invite", 0), ("import", days)):
            columns = {"known_on": on(60 - after), "done_at": ago(60 - after)}
            add(session, OnboardingCompletion(account_id=account_id, step_key=key, **columns))
    add(
        session,
        OnboardingCompletion(account_id="a1", step_key="invite", known_on=on(20), done_at=ago(20)),
    )

    found, before = engagement_of(session).onboarding, engagement_of(session, on(30)).onboarding

    assert found is not None
    assert before is not None
    assert found.current is not None
    assert (found.current.key, found.current.peers_median_days, found.current.peers) == (
        "import",
        4,
        3,
    )
    assert found.days_in_step == 20
    assert found.done_share == pytest.approx(1 / 3)
    assert (before.current is before.steps[0], before.days_in_step) == (True, 70)


def test_goals_are_compared_with_current_usage(session: Session) -> None:
    goal = {"account_id": "a1", "title": "Send", "starts_on": on(20), "due_on": on(-20)}
    send = {"metric": "events", "event_names": ["Send"], "baseline": 0, "known_on": on(20)}
    add(session, Goal(goal_id="g1", target=10, **send, **goal))
    add(session, Goal(goal_id="g2", target=100, **send, **goal))
    factories.usage(session, on(1), event_name="Send", events=6)
    factories.usage(session, on(1), event_name="Other", events=60)
    factories.usage(session, on(30), event_name="Send", events=60)

    found = {goal.goal_id: goal for goal in engagement_of(session).goals}

    assert (found["g1"].value, found["g1"].share) == (6, 0.6)
    assert found["g1"].progress == GoalStatus.ON_TRACK
    assert found["g2"].progress == GoalStatus.OFF_TRACK
    assert engagement_of(session, on(21)).goals == []


@pytest.mark.parametrize(
    ("metric", "value"), [("active_users", 1), ("active_days", 2), ("reach", 1), ("mrr", 250)]
)
def test_tiers_use_metrics_as_they_were_known(session: Session, metric: str, value: float) -> None:
    for position, (key, threshold) in enumerate([("silver", 1), ("gold", 400)]):
        columns = {"name": key, "position": position, "metric": metric, "threshold": threshold}
        add(session, LoyaltyTier(key=key, **columns))
    factories.usage(session, on(1))
    factories.usage(session, on(2), known_on=TODAY)
    factories.usage(session, on(3), user_id="bob", known_on=on(-1))
    factories.reach(session, on(3), "c1")
    factories.subscription(session, mrr_cents=250_00)

    tier = engagement_of(session).tier

    assert tier is not None
    assert (tier.key, tier.next_key, tier.next_value) == ("silver", "gold", value)
    assert tier.missing == 400 - value


def test_an_incident_counts_for_thirty_days_after_its_end(session: Session) -> None:
    ended = {"ended_at": ago(20), "ended_known_on": on(20)}
    add(session, Incident(incident_id="i1", declared_at=ago(60), known_on=on(60), **ended))
    add(session, Incident(incident_id="i2", declared_at=ago(9), known_on=on(8)))
    add(session, IncidentAccount(incident_id="i1", account_id="a1", known_on=on(60)))
    sorry = {"apology_sent_at": ago(7), "apology_known_on": on(7)}
    add(session, IncidentAccount(incident_id="i2", account_id="a1", known_on=on(8), **sorry))

    def incidents(days: int) -> list[tuple[str, bool, bool]]:
        found = engagement_of(session, on(days)).incidents
        return [(i.incident_id, bool(i.ended_at), bool(i.apology_sent_at)) for i in found]

    assert incidents(0) == [("i2", False, True), ("i1", True, False)]
    assert incidents(8) == [("i2", False, False), ("i1", True, False)]
    assert incidents(30) == [("i1", False, False)]
    assert incidents(-15) == [("i2", False, True)]


def test_users_have_roles_from_the_api_or_by_a_trait(session: Session) -> None:
    for user_id, role in (("ada", "admin"), ("bob", "Champion")):
        add(session, User(user_id=user_id, account_id="a1", role=role, traits_at=ago(30)))
    add(session, PersonRole(user_id="ada", role="sponsor", known_on=on(20), ended_on=on(5)))
    add(session, PersonRole(user_id="ada", role="champion", known_on=on(5)))

    now, before = engagement_of(session), engagement_of(session, on(6))

    assert (now.champions, now.sponsors) == (["ada", "bob"], [])
    assert (before.champions, before.sponsors) == (["bob"], ["ada"])
