"""The feature table compared with the features of scores, and what must not change it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.features.queries import load_account_features
from app.features.table import EVENT_COLUMN_PREFIX, FeatureTable, TableSpec, event_names_in
from app.features.table_queries import load_feature_table
from app.features.values import FeatureMap, FeatureSpec, ReachSource
from app.tables import (
    FirstUse,
)
from tests import factories
from tests.features.test_features import PRODUCT, REACHES, SPEC
from tests.features.world import ACCOUNTS, AS_OF, EVENT_NAMES, day, random_world

DAYS = (AS_OF, day(11), day(29))
LATER = day(-100)


def table_spec(reach: ReachSource = SPEC.reach, product: FeatureMap = PRODUCT) -> TableSpec:
    return TableSpec(product, reach, "USD", EVENT_NAMES, silence_days=90)


def load_table(
    session: Session, *account_ids: str, days: Sequence[date] = (AS_OF,)
) -> FeatureTable:
    account_days = [(account_id, on) for on in days for account_id in account_ids]
    return load_feature_table(session, "acme", account_days, spec=table_spec())


def load_value(session: Session, name: str, *, on: date = AS_OF) -> float:
    return float(load_table(session, "a1", days=[on]).column(name)[0])


@pytest.fixture(autouse=True)
def workspace(session: Session) -> None:
    factories.workspace(session)


@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: reach.kind)
@pytest.mark.parametrize("seed", range(4))
def test_the_table_counts_the_same_as_the_features_of_scores(
    session: Session, seed: int, reach: ReachSource
) -> None:
    """These are compared with a recount in Python. Depth counts product events only."""
    random_world(seed).store(session)
    everything = FeatureMap([(name, name) for name in EVENT_NAMES])
    account_days = [(account_id, on) for on in DAYS for account_id in ACCOUNTS]

    found = load_feature_table(session, "acme", account_days, spec=table_spec(reach, everything))

    expected = [
        row
        for on in DAYS
        for row in load_account_features(
            session, "acme", ACCOUNTS, as_of=on, spec=FeatureSpec(everything, reach, "USD", 28)
        )
    ]
    counts = {
        "events_28": [row.events for row in expected],
        "active_days_28": [row.active_days for row in expected],
        "users_28": [row.active_users for row in expected],
        "reach_28": [row.reached for row in expected],
        "breadth_28": [len(row.adopted) for row in expected],
    }
    assert {name: found.column(name).tolist() for name in counts} == counts
    assert found.eligibility.pays.tolist() == [row.pays for row in expected]
    assert found.eligibility.excluded.tolist() == [row.excluded for row in expected]


@pytest.mark.parametrize("seed", range(3))
def test_many_accounts_and_days_give_the_same_rows_as_each_alone(
    session: Session, seed: int
) -> None:
    random_world(seed).store(session)

    together = load_table(session, *ACCOUNTS, days=DAYS)

    alone = [load_table(session, each, days=[on]).x[0] for on in DAYS for each in ACCOUNTS]
    assert together.x.tobytes() == np.array(alone).tobytes()


def test_events_are_counted_by_event_name(session: Session) -> None:
    factories.usage(session, day(3), event_name="Export", events=4)
    factories.usage(session, day(83), event_name="Export", events=2)
    factories.usage(session, day(84), event_name="Export", events=8)
    factories.usage(session, day(3), event_name="Something else")

    found = load_table(session, "a1")

    assert found.column(EVENT_COLUMN_PREFIX + "Export").tolist() == [6]
    assert found.column(EVENT_COLUMN_PREFIX + "Share").tolist() == [0]
    assert event_names_in(found.names) == EVENT_NAMES


def test_recency_is_compared_with_the_usual_gap(session: Session) -> None:
    for back in (50, 40, 30, 20):
        factories.usage(session, day(back))
    factories.first_use(session, day(50))

    assert (load_value(session, "recency"), load_value(session, "recency_over_gap")) == (20, 2)


def test_an_unknown_feature_is_missing(session: Session) -> None:
    found = load_table(session, "a1")

    missing = {name for name, each in zip(found.names, found.x[0], strict=True) if np.isnan(each)}
    assert missing >= {"recency", "recency_over_gap", "tenure", "seats", "seat_use", "mrr"}
    assert missing >= {"events_per_dollar", "trend_events", "days_to_renewal", "top_user_share"}
    assert missing.isdisjoint({"events_28", "users_28", "reach_28", EVENT_COLUMN_PREFIX + "Export"})


def test_prices_seats_and_their_changes(session: Session) -> None:
    factories.subscription(
        session, starts_on=day(100), ends_on=day(10), mrr_cents=200_00, seats=4, known_on=day(100)
    )
    factories.subscription(session, starts_on=day(10), mrr_cents=100_00, seats=2, known_on=day(10))
    for user_id in ("ada", "ben", "cyd"):
        factories.usage(session, day(3), user_id=user_id)

    assert load_value(session, "mrr") == 100
    assert load_value(session, "seat_use") == 1.5
    assert load_value(session, "users_per_dollar") == 3
    assert load_value(session, "mrr_change_84") == pytest.approx(np.log(101 / 201))
    assert load_value(session, "tenure") == 100


def test_a_long_pause_of_payment_starts_the_tenure_again(session: Session) -> None:
    for starts, ends in ((300, 200), (171, 100), (90, None)):
        factories.subscription(
            session,
            starts_on=day(starts),
            ends_on=None if ends is None else day(ends),
            known_on=day(starts),
        )

    assert load_value(session, "tenure") == 90 + 81, "a pause of ten days does not start it again"


def add_subscription(session: Session, **columns: Any) -> None:  # noqa: ANN401
    factories.subscription(session, **{"starts_on": day(60), "known_on": day(60)} | columns)


def test_an_end_recorded_with_the_start_is_not_known_before_it_comes(
    session: Session,
) -> None:
    add_subscription(session, ends_on=day(-5), renewal_on=day(-5))

    assert np.isnan(load_value(session, "days_to_end"))
    assert np.isnan(load_value(session, "days_to_renewal")), "it would reveal the end as well"
    assert load_table(session, "a1").eligibility.pays.tolist() == [True]
    assert load_table(session, "a1", days=[day(-5)]).eligibility.pays.tolist() == [False]


def test_an_end_that_was_announced_is_known(session: Session) -> None:
    add_subscription(session, renewal_on=day(-40), notice_days=30)
    add_subscription(
        session, renewal_on=day(-40), notice_days=30, ends_on=day(-30), known_on=day(7)
    )

    assert load_value(session, "days_to_end") == 30
    assert np.isnan(load_value(session, "days_to_end", on=day(8)))
    assert (load_value(session, "days_to_renewal"), load_value(session, "days_to_notice")) == (
        40,
        10,
    )


def test_events_of_tomorrow_and_rows_known_tomorrow_change_nothing(session: Session) -> None:
    random_world(2).store(session)
    before = load_table(session, *ACCOUNTS, days=DAYS)

    tomorrow = AS_OF + timedelta(days=1)
    for account_id in ACCOUNTS:
        factories.usage(session, tomorrow, account_id=account_id, events=50)
        factories.usage(session, AS_OF, account_id=account_id, known_on=tomorrow, events=50)
        session.add(
            FirstUse(workspace_id="acme", account_id=account_id, known_on=LATER, day=day(500))
        )
        factories.subscription(
            session, account_id, subscription_id="late", starts_on=day(400), known_on=tomorrow
        )
    session.flush()

    after = load_table(session, *ACCOUNTS, days=DAYS)
    assert after.x.tobytes() == before.x.tobytes()
    assert after.eligibility.pays.tolist() == before.eligibility.pays.tolist()


@pytest.mark.parametrize(
    ("renewal", "pays"),
    [
        ({"starts_on": day(-7), "known_on": day(17)}, True),
        ({"starts_on": day(-7), "known_on": day(17), "subscription_id": "next"}, True),
        ({"starts_on": day(-23), "known_on": day(17)}, True),  # 31 days after the end
        ({"starts_on": day(-24), "known_on": day(17)}, False),
        ({"starts_on": day(-7), "known_on": day(-7)}, False),  # not known yet
        ({"starts_on": day(-7), "known_on": day(17), "mrr_cents": 0}, False),
        ({"starts_on": day(-7), "known_on": day(17), "ends_on": day(-7)}, False),  # withdrawn
    ],
)
def test_an_account_pays_until_a_known_renewal_as_in_its_score(
    session: Session,
    renewal: dict[str, Any],
    pays: bool,  # noqa: FBT001
) -> None:
    """The contract of 100 ended 8 days ago; the renewal of 130 has not begun."""
    factories.account(session, "a1")
    factories.subscription(session, starts_on=day(373), known_on=day(373), ends_on=day(8))
    factories.subscription(session, **({"mrr_cents": 130_00} | renewal))

    table = load_table(session, "a1")
    [score] = load_account_features(session, "acme", ["a1"], as_of=AS_OF, spec=SPEC)

    assert (bool(table.eligibility.pays[0]), score.pays) == (pays, pays)
    assert np.isnan(table.column("days_to_end")[0])
    if pays:
        assert (table.eligibility.mrr_cents[0], score.mrr_cents) == (100_00, 100_00)


def test_a_stated_last_paid_day_is_no_end_before_the_renewal(session: Session) -> None:
    factories.account(session, "a1")
    factories.subscription(session, known_on=day(99), ends_on=AS_OF, renewal_on=day(-1))

    assert [
        load_table(session, "a1", days=[on]).eligibility.pays[0] for on in (AS_OF, day(-1))
    ] == [
        True,
        False,
    ]
    assert np.isnan(load_value(session, "days_to_end"))


def test_an_add_on_is_not_held_by_another_product(session: Session) -> None:
    """100 runs on; an add-on of 20 ended 8 days ago, and another product of 50 begins in 7 days."""
    factories.account(session, "a1")
    factories.subscription(session)
    add_on: dict[str, Any] = {"subscription_id": "add-on", "mrr_cents": 20_00, "known_on": day(99)}
    factories.subscription(session, **add_on, starts_on=day(99), ends_on=day(8))
    other: dict[str, Any] = {"subscription_id": "other", "mrr_cents": 50_00, "known_on": day(17)}
    factories.subscription(session, **other, starts_on=day(-7))

    assert load_table(session, "a1").eligibility.mrr_cents[0] == 100_00
