"""A panel contains only what was known on each day.

Each fact is tested twice: recorded after the panel's end it changes nothing; planted as a leak,
as if it had been known all along, it changes the panel.
"""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.churn.model.panel import Panel
from app.churn.training import observations
from app.features.table_queries import load_feature_table
from app.tables import ScoreOverride, Subscription
from tests import factories
from tests.churn.workspaces import (
    STARTED_ON,
    UNTIL,
    build_table_spec,
    create_customers,
    load_horizon,
    observe_panel,
)
from tests.conftest import NOW

SEEN_UNTIL = date(2025, 12, 31)
"""The end of the panel that must not change. Everything later is the future."""
MIDDLE = date(2025, 9, 15)


def same(a: Panel, b: Panel) -> bool:
    return (
        a.names == b.names
        and a.x.tobytes() == b.x.tobytes()
        and a.y.tobytes() == b.y.tobytes()
        and a.day.tolist() == b.day.tolist()
    )


def late_events(session: Session, known_on: date) -> None:
    for n in range(9):
        factories.usage(
            session, MIDDLE, account_id=f"a{n}", events=40 + n, known_on=known_on, user_id="eve"
        )


def late_first_use(session: Session, known_on: date) -> None:
    row = factories.first_use(session, date(2024, 1, 1), account_id="a1")
    row.known_on = known_on
    session.flush()


def late_subscription(session: Session, known_on: date) -> None:
    factories.subscription(
        session, "a1", subscription_id="extra", starts_on=MIDDLE, known_on=known_on, seats=50
    )


def late_cancellation(session: Session, known_on: date) -> None:
    """Cancel in the middle of the term; ``known_on`` decides whether it is recorded in time."""
    factories.subscription(
        session, "a1", starts_on=STARTED_ON, ends_on=MIDDLE, known_on=known_on, seats=3
    )


def late_billing(session: Session, known_on: date) -> None:
    factories.subscription(
        session, "a1", starts_on=STARTED_ON, known_on=known_on, seats=3, billing_period_months=12
    )


FACTS = (late_events, late_first_use, late_subscription, late_cancellation, late_billing)


@pytest.mark.parametrize("record_fact", FACTS)
def test_facts_that_become_known_later_change_neither_features_nor_labels(
    session: Session, record_fact: Callable[[Session, date], None]
) -> None:
    create_customers(session)
    before = observe_panel(session, until=SEEN_UNTIL)

    record_fact(session, SEEN_UNTIL + timedelta(days=1))

    assert same(observe_panel(session, until=SEEN_UNTIL), before)


@pytest.mark.parametrize("record_fact", FACTS)
def test_the_same_facts_change_the_panel_if_they_leak(
    session: Session, record_fact: Callable[[Session, date], None]
) -> None:
    create_customers(session)
    before = observe_panel(session, until=SEEN_UNTIL)

    record_fact(
        session, MIDDLE if record_fact is late_cancellation else STARTED_ON + timedelta(days=1)
    )

    assert not same(observe_panel(session, until=SEEN_UNTIL), before)


def test_events_after_the_horizons_change_nothing(session: Session) -> None:
    create_customers(session)
    before = observe_panel(session, until=SEEN_UNTIL)

    for n in range(9):
        factories.usage(session, UNTIL, account_id=f"a{n}", event_name="Never seen", events=99)

    assert same(observe_panel(session, until=SEEN_UNTIL), before)


def test_imported_ends_are_not_known_before_they_come(session: Session) -> None:
    """Each period counts as known at its start. The table is the same without the ends."""
    create_customers(session, stay=3, leave=3)
    day = date(2025, 10, 31)
    horizon = load_horizon(session)
    spec = build_table_spec(session, horizon)
    account_days = [(f"a{n}", day) for n in range(6)]
    before = load_feature_table(session, "acme", account_days, spec=spec)

    session.query(Subscription).update({"ends_on": None})

    after = load_feature_table(session, "acme", account_days, spec=spec)
    assert after.x.tobytes() == before.x.tobytes()


def test_imported_ends_are_visible_if_they_leak(session: Session) -> None:
    """The ends were announced the day after the start: then the table shows them."""
    create_customers(session, stay=3, leave=3)
    day = date(2025, 10, 31)
    spec = build_table_spec(session, load_horizon(session))
    account_days = [(f"a{n}", day) for n in range(6)]

    session.query(Subscription).update({"known_on": STARTED_ON + timedelta(days=1)})

    table = load_feature_table(session, "acme", account_days, spec=spec)
    assert np.isnan(table.column("days_to_end")).tolist() == [True] * 3 + [False] * 3


def test_the_scored_row_of_a_day_equals_the_training_row(session: Session) -> None:
    """The rows are bit-identical, also after months that were unknown on the scored day."""
    create_customers(session)
    horizon = load_horizon(session)
    spec = build_table_spec(session, horizon)
    day = date(2025, 10, 31)
    ids = [f"a{n}" for n in range(9)]
    session.query(Subscription).filter(Subscription.ends_on > day).update({"ends_on": None})
    served = load_feature_table(session, "acme", [(each, day) for each in ids], spec=spec)

    for n in range(6, 9):
        left = date(2025, 11, 20) + timedelta(days=50 * (n - 6))
        factories.subscription(
            session, f"a{n}", starts_on=STARTED_ON, known_on=left, ends_on=left, seats=3
        )
    late_events(session, UNTIL)

    panel = observations.build_panel(session, "acme", until=UNTIL, horizon=horizon, spec=spec)
    trained = panel.rows(panel.day == day.toordinal())
    assert trained.x.tobytes() == served.x.tobytes()
    assert trained.y.sum() == 2, "the churned accounts are known now"


def test_score_overrides_are_not_in_the_panel(session: Session) -> None:
    create_customers(session, stay=3, leave=1)
    before = observe_panel(session)

    session.add(
        ScoreOverride(
            workspace_id="acme",
            account_id="a1",
            value=100,
            reason="They said that they stay.",
            author="kim",
            created_at=NOW - timedelta(days=200),
            expires_at=NOW,
        )
    )
    session.flush()

    assert same(observe_panel(session), before)
