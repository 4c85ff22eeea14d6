"""The optional features of a spec: traits, and event counts over other windows."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.features.queries import load_account_features
from app.features.values import AccountFeatures, EventCount, FeatureMap, FeatureSpec, ReachSource
from app.tables import User
from tests import factories
from tests.features.world import AS_OF, day

FILED_90, CLOSED_OR_FILED_7 = EventCount(("Filed",), 90), EventCount(("Closed", "Filed"), 7)
PRODUCT = FeatureMap([("Export", "export"), ("Share", "sharing"), ("Export", "reports")])


def load_one(session: Session, **options: Any) -> AccountFeatures:  # noqa: ANN401
    spec = FeatureSpec(PRODUCT, ReachSource(), "USD", 28, **options)
    [features] = load_account_features(session, "acme", ["a1"], as_of=AS_OF, spec=spec)
    return features


def add_filed_events(session: Session, back: int, events: int, **columns: Any) -> None:  # noqa: ANN401
    defaults = {"event_name": "Filed", "events": events, "user_id": f"user {back} {events}"}
    factories.usage(session, day(back), **{**defaults, **columns})


@pytest.fixture(autouse=True)
def workspace(session: Session) -> None:
    factories.workspace(session)


def test_events_are_counted_over_the_requested_days(session: Session) -> None:
    for back, events in ((-1, 1), (0, 2), (6, 4), (7, 8), (89, 16), (90, 32)):
        add_filed_events(session, back, events)
    add_filed_events(session, 3, 64, event_name="Closed")
    add_filed_events(session, 3, 128, event_name="Else")

    features = load_one(session, counts=(FILED_90, CLOSED_OR_FILED_7))

    assert features.counts == {FILED_90.key: 2 + 4 + 8 + 16, CLOSED_OR_FILED_7.key: 2 + 4 + 64}


def test_a_count_of_zero_is_left_out(session: Session) -> None:
    add_filed_events(session, 30, 5)

    assert load_one(session, counts=(FILED_90, CLOSED_OR_FILED_7)).counts == {FILED_90.key: 5}
    assert load_one(session).counts == {}


def test_events_that_became_known_later_are_not_counted(session: Session) -> None:
    add_filed_events(session, 3, 5, known_on=day(-1))
    add_filed_events(session, 3, 2, known_on=AS_OF)

    assert load_one(session, counts=(FILED_90,)).counts == {FILED_90.key: 2}


def test_excluded_users_and_other_accounts_are_not_counted(session: Session) -> None:
    session.add(User(workspace_id="acme", user_id="ops", excluded=True))
    add_filed_events(session, 3, 5, user_id="ops")
    add_filed_events(session, 3, 2)
    add_filed_events(session, 3, 7, account_id="a2")

    features = load_one(session, counts=(FILED_90,))

    assert features.counts == {FILED_90.key: 2}
    assert (features.events, features.active_days) == (2, 1)


def test_two_counts_may_include_the_same_events(session: Session) -> None:
    add_filed_events(session, 3, 2)
    week = EventCount(("Filed",), 7)

    assert load_one(session, counts=(FILED_90, week)).counts == {FILED_90.key: 2, week.key: 2}


def test_events_and_active_days_are_counted_in_both_windows(session: Session) -> None:
    for back, name in ((0, "Else"), (0, "Export"), (27, "Share"), (28, "Share"), (55, "Else")):
        factories.usage(session, day(back), event_name=name, events=3)
    factories.usage(session, day(56), events=3)

    features = load_one(session)

    assert (features.events, features.events_before) == (9, 6)
    assert (features.active_days, features.active_days_before) == (2, 2)


def test_events_of_a_product_feature_are_counted_in_the_window(session: Session) -> None:
    for back, name, events in ((0, "Export", 3), (27, "Export", 4), (28, "Export", 9)):
        factories.usage(session, day(back), event_name=name, events=events)
    factories.usage(session, day(40), event_name="Share")

    assert load_one(session).feature_events == {"export": 7, "reports": 7}


def test_only_the_requested_traits_are_returned(session: Session) -> None:
    traits = {"csat": 4.5, "tier": None, "risks": ["At Risk"], "else": 1}
    factories.account(session, "a1", traits=traits)

    features = load_one(session, traits=("csat", "tier", "risks", "unknown"))

    assert features.traits == {"csat": 4.5, "tier": None, "risks": ["At Risk"]}
    assert load_one(session).traits == {}


def test_an_account_without_a_row_has_no_traits(session: Session) -> None:
    add_filed_events(session, 3, 5)

    assert load_one(session, traits=("csat",)).traits == {}


def test_attributes_of_the_account_are_returned(session: Session) -> None:
    factories.account(session, "a1", industry="steel", owner="kim", employees=12)

    features = load_one(session)

    assert (features.industry, features.owner, features.employees) == ("steel", "kim", 12)
