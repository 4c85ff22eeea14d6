"""People, product features, tickets and answers in the feature table, worked out by hand."""

from datetime import UTC, date, datetime, time

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.features.table_queries import load_feature_table
from app.features.values import ReachSource
from app.tables import (
    Invoice,
    OnboardingCompletion,
    OnboardingStep,
    SurveyResponse,
    Ticket,
    TicketMoment,
    UserAlias,
)
from tests import factories
from tests.features.test_table import (
    add_subscription,
    load_table,
    load_value,
    table_spec,
)
from tests.features.world import AS_OF, day


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)


def test_people_and_product_features_worked_out_by_hand(session: Session) -> None:
    """``n1`` is known to be Ada since day 2 ago; nobody knows who ``n2`` is."""
    factories.first_use(session, day(60))
    factories.usage(session, day(3), events=2)
    factories.usage(session, day(3), event_name="Share")
    factories.usage(session, day(30), user_id="n1", events=4, is_anonymous=True)
    factories.usage(session, day(10), user_id="n2", events=5, is_anonymous=True)
    factories.usage(session, day(60), user_id="ben")
    alias = {"anonymous_id": "n1", "user_id": "ada", "known_on": day(2)}
    session.add(UserAlias(workspace_id="acme", **alias))
    session.flush()
    names = ("users_28", "users_84", "top_user_share", "trend_users", "breadth_28", "breadth_84")

    found = load_table(session, "a1", days=[AS_OF, day(3)])

    values = dict(zip(names, np.array([found.column(name) for name in names]), strict=True))
    assert {name: each[0] for name, each in values.items()} == {
        "users_28": 1,
        "users_84": 2,
        "top_user_share": 7 / 8,  # Ada 2 + 1 + 4, Ben 1
        "trend_users": 0,  # Ada in both windows
        "breadth_28": 2,  # the two features of Export, on two days
        "breadth_84": 3,  # and that of Share, on one
    }
    assert values["top_user_share"][1] == 3 / 4, "the day before nobody knew who n1 is"
    assert values["trend_users"][1] == pytest.approx(np.log(2))


def test_reach_of_an_event_of_two_product_features_counts_once(session: Session) -> None:
    factories.usage(session, day(3), quantity=5)
    factories.usage(session, day(40), quantity=2)

    factories.first_use(session, day(60))

    for kind, reached, before in (("property", 5, 2), ("events", 1, 1)):
        spec = table_spec(ReachSource(kind, ("Export",)))
        found = load_feature_table(session, "acme", [("a1", AS_OF)], spec=spec)
        assert found.column("reach_28").tolist() == [reached]
        trend = np.log((reached + 1) / (before + 1))
        assert found.column("trend_reach").tolist() == [pytest.approx(trend)]


def test_subscriptions_that_no_longer_run_are_none_and_not_unknown(session: Session) -> None:
    assert np.isnan(load_value(session, "subscriptions"))
    for subscription_id in ("s1", "s2"):
        ends_on = day(10)
        add_subscription(session, subscription_id=subscription_id, ends_on=ends_on)

    assert [load_value(session, "subscriptions", on=day(back)) for back in (11, 10)] == [2, 0]


def test_tickets_are_unknown_until_they_are_received_for_84_days(session: Session) -> None:
    """A count of a part of the window would be too low, and 0 for accounts with tickets."""
    add_ticket(session, "t1", day(20), account_id="a2")

    assert [load_value(session, "tickets_84", on=day(back)) for back in (-64, -63)] == [0, 0]
    assert np.isnan(load_value(session, "tickets_84", on=day(-62)))


def test_tickets_answers_steps_and_failed_payments(session: Session) -> None:
    names = ("tickets_84", "nps", "onboarding_share", "failed_payments_84")
    nothing = load_table(session, "a1", days=[AS_OF])
    assert all(np.isnan(nothing.column(name)[0]) for name in names)

    add_ticket(session, "first", day(90), account_id="a2")
    at = datetime.combine(day(5), time(9), UTC)
    of_account = {"workspace_id": "acme", "account_id": "a1"}
    for number, known in enumerate((day(5), day(-1))):
        add_ticket(session, f"t{number}", day(5), known_on=known)
        session.add(
            SurveyResponse(
                **of_account, response_id=f"r{number}", kind="nps", score=6, at=at, known_on=known
            )
        )
        session.add(OnboardingStep(workspace_id="acme", key=f"s{number}", name="s", position=1))
        session.add(
            OnboardingCompletion(**of_account, step_key=f"s{number}", known_on=known, done_at=at)
        )
    session.add(
        Invoice(
            **of_account,
            system="stripe",
            invoice_id="i",
            customer_id="c",
            status="open",
            currency="USD",
            amount_due_cents=1,
            amount_paid_cents=0,
            attempt_count=1,
            failed_at=at,
            created_at=at,
        )
    )
    session.flush()

    assert [load_value(session, name) for name in names] == [1, 6, 0.5, 1]


def add_ticket(
    session: Session,
    ticket_id: str,
    on: date,
    *,
    account_id: str = "a1",
    known_on: date | None = None,
) -> None:
    ticket = {"workspace_id": "acme", "ticket_id": ticket_id}
    at = datetime.combine(on, time(9), UTC)
    session.add(Ticket(**ticket, account_id=account_id, opened_at=at))
    session.flush()
    session.add(TicketMoment(**ticket, kind="opened", at=at, known_on=known_on or on))
    session.flush()
