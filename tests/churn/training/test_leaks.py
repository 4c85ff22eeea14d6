"""Nothing that was not known on the day may be seen; each test also shows that it would tell.

A leak is planted by reading as if a row had been known all along: then the panel must change.
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
"""The panel that must not change ends here; what comes later is the future."""
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
    """A cancellation in the middle of the term, told late or in time."""
    factories.subscription(
        session, "a1", starts_on=STARTED_ON, ends_on=MIDDLE, known_on=known_on, seats=3
    )


FACTS = (late_events, late_first_use, late_subscription, late_cancellation)


@pytest.mark.parametrize("tell", FACTS)
def test_what_is_told_later_changes_neither_features_nor_labels(
    session: Session, tell: Callable[[Session, date], None]
) -> None:
    create_customers(session)
    before = observe_panel(session, until=SEEN_UNTIL)

    tell(session, SEEN_UNTIL + timedelta(days=1))

    assert same(observe_panel(session, until=SEEN_UNTIL), before)


@pytest.mark.parametrize("tell", FACTS)
def test_the_same_facts_would_be_seen_if_they_leaked(
    session: Session, tell: Callable[[Session, date], None]
) -> None:
    create_customers(session)
    before = observe_panel(session, until=SEEN_UNTIL)

    tell(session, MIDDLE if tell is late_cancellation else STARTED_ON + timedelta(days=1))

    assert not same(observe_panel(session, until=SEEN_UNTIL), before)


def test_what_happens_after_the_horizons_changes_nothing(session: Session) -> None:
    create_customers(session)
    before = observe_panel(session, until=SEEN_UNTIL)

    for n in range(9):
        factories.usage(session, UNTIL, account_id=f"a{n}", event_name="Never seen", events=99)

    assert same(observe_panel(session, until=SEEN_UNTIL), before)


def test_a_file_of_history_does_not_tell_the_ends_before_they_come(session: Session) -> None:
    """Each period counts as known at its start. The same without ends looks the same till then."""
    create_customers(session, stay=3, leave=3)
    day = date(2025, 10, 31)
    ahead = load_horizon(session)
    looked = build_table_spec(session, ahead)
    moments = [(f"a{n}", day) for n in range(6)]
    before = load_feature_table(session, "acme", moments, lens=looked)

    session.query(Subscription).update({"ends_on": None})

    after = load_feature_table(session, "acme", moments, lens=looked)
    assert after.x.tobytes() == before.x.tobytes()


def test_the_ends_of_history_would_tell_if_they_leaked(session: Session) -> None:
    """As if each had been announced the day after its start: then the table does show them."""
    create_customers(session, stay=3, leave=3)
    day = date(2025, 10, 31)
    looked = build_table_spec(session, load_horizon(session))
    moments = [(f"a{n}", day) for n in range(6)]

    session.query(Subscription).update({"known_on": STARTED_ON + timedelta(days=1)})

    table = load_feature_table(session, "acme", moments, lens=looked)
    assert np.isnan(table.column("days_to_end")).tolist() == [True] * 3 + [False] * 3


def test_the_row_that_is_served_on_a_day_is_the_row_that_is_trained_on(session: Session) -> None:
    """To the last bit, also after months of which nothing was known then."""
    create_customers(session)
    ahead = load_horizon(session)
    looked = build_table_spec(session, ahead)
    day = date(2025, 10, 31)
    ids = [f"a{n}" for n in range(9)]
    session.query(Subscription).filter(Subscription.ends_on > day).update({"ends_on": None})
    served = load_feature_table(session, "acme", [(each, day) for each in ids], lens=looked)

    for n in range(6, 9):
        left = date(2025, 11, 20) + timedelta(days=50 * (n - 6))
        factories.subscription(
            session, f"a{n}", starts_on=STARTED_ON, known_on=left, ends_on=left, seats=3
        )
    late_events(session, UNTIL)

    found = observations.build_panel(session, "acme", until=UNTIL, horizon=ahead, lens=looked)
    trained = found.rows(found.day == day.toordinal())
    assert trained.x.tobytes() == served.x.tobytes()
    assert trained.y.sum() == 2, "and who left is known now"


def test_what_people_say_instead_of_a_score_never_enters(session: Session) -> None:
    create_customers(session, stay=3, leave=1)
    before = observe_panel(session)

    session.add(
        ScoreOverride(
            workspace_id="acme",
            account_id="a1",
            value=100,
            reason="They told us that they stay.",
            author="kim",
            created_at=NOW - timedelta(days=200),
            expires_at=NOW,
        )
    )
    session.flush()

    assert same(observe_panel(session), before)
