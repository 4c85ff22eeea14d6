"""Prices in the base currency, at the rate of the day on which a period starts."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.features.queries import load_account_features
from app.features.values import AccountFeatures, FeatureMap, FeatureSpec, ReachSource
from app.tables import ExchangeRate
from tests import factories
from tests.features.world import AS_OF, day


def load_one(
    session: Session,
    as_of: date = AS_OF,
    base: str = "USD",
    **options: Any,  # noqa: ANN401
) -> AccountFeatures:
    spec = FeatureSpec(FeatureMap([]), ReachSource(), base, 28, **options)
    [features] = load_account_features(session, "acme", ["a1"], as_of=as_of, spec=spec)
    return features


def add_rate(session: Session, currency: str, starts_on: date, value: str) -> None:
    row = ExchangeRate(
        workspace_id="acme", currency=currency, starts_on=starts_on, rate=Decimal(value)
    )
    session.add(row)
    session.flush()


@pytest.fixture(autouse=True)
def workspace(session: Session) -> None:
    factories.workspace(session)


def test_the_price_is_the_mean_over_the_paid_days_only(session: Session) -> None:
    """Seven days at 100, then a gap, then seven days at 300 and an add-on of 10 over the last."""
    for starts, ends, cents in ((20, 13, 100_00), (6, None, 300_00)):
        ends_on = None if ends is None else day(ends)
        factories.subscription(session, mrr_cents=cents, starts_on=day(starts), ends_on=ends_on)
    factories.subscription(session, mrr_cents=10_00, starts_on=AS_OF, subscription_id="add-on")

    features = load_one(session)

    assert features.price_cents == pytest.approx((7 * 100_00 + 7 * 300_00 + 10_00) / 14)
    assert (features.mrr_cents, features.pays, features.paid_until) == (310_00, True, None)


def test_a_price_in_another_currency_has_no_rate(session: Session) -> None:
    factories.subscription(session, currency="EUR")

    features = load_one(session)

    assert (features.pays, features.no_rate, features.price_cents) == (True, True, None)


def test_an_account_churns_on_the_first_day_after_its_last_paid_day(session: Session) -> None:
    factories.subscription(session, ends_on=AS_OF)

    assert load_one(session, as_of=day(1)).pays
    features = load_one(session)
    assert (features.churned, features.paid_until, features.price_cents) == (True, AS_OF, None)


@pytest.mark.parametrize(
    ("renewal", "churned"),
    [
        ({}, False),
        ({"known_on": day(-1)}, True),
        ({"starts_on": day(-30)}, False),
        ({"starts_on": day(-31)}, True),
        ({"mrr_cents": 0}, True),
        ({"starts_on": day(-5), "ends_on": day(-5)}, True),
        ({"subscription_id": "new"}, False),
    ],
)
def test_a_known_renewal_within_31_days_bridges_the_gap(
    session: Session,
    renewal: dict[str, Any],
    churned: bool,  # noqa: FBT001
) -> None:
    """The contract of 100 ends yesterday, its renewal of 300 starts tomorrow: 100 until then."""
    factories.subscription(session, ends_on=day(1))
    columns = {"starts_on": day(-1), "known_on": day(9), "mrr_cents": 300_00, **renewal}
    factories.subscription(session, **columns)

    features = load_one(session)

    assert (features.churned, features.pays) == (churned, not churned)
    assert features.mrr_cents == (0 if churned else 100_00)


@pytest.mark.parametrize(("end_reason", "churned"), [(None, False), ("price", True)])
def test_a_renewal_day_after_the_end_bridges_that_day_unless_the_end_has_a_reason(
    session: Session,
    end_reason: str | None,
    churned: bool,  # noqa: FBT001
) -> None:
    factories.subscription(session, ends_on=AS_OF, renewal_on=day(-1), end_reason=end_reason)

    assert load_one(session).churned is churned
    assert load_one(session, as_of=day(-1)).churned


def test_an_add_on_that_ended_is_not_renewed_by_another_subscription(session: Session) -> None:
    factories.subscription(session, mrr_cents=50_00, subscription_id="add-on", ends_on=day(5))
    factories.subscription(session, ends_on=AS_OF)
    factories.subscription(session, starts_on=day(-1), known_on=day(9), mrr_cents=200_00)

    assert load_one(session).mrr_cents == 100_00


def test_a_price_in_another_currency_is_converted_at_the_rate_of_its_first_day(
    session: Session,
) -> None:
    for back, value in ((200, "1.5"), (100, "1.1"), (50, "9")):
        add_rate(session, "EUR", day(back), value)
    factories.subscription(session, mrr_cents=100_05, currency="EUR", starts_on=day(60))

    features = load_one(session)

    assert (features.pays, features.no_rate, features.currency) == (True, False, "EUR")
    assert (features.price_cents, features.mrr_cents) == (110_06, 110_06), (
        "half a cent counts as one"
    )


@pytest.mark.parametrize(("starts", "no_rate"), [(60, False), (61, True)])
def test_a_rate_applies_from_its_start_day(session: Session, starts: int, *, no_rate: bool) -> None:
    add_rate(session, "EUR", day(60), "2")
    factories.subscription(session, currency="EUR", starts_on=day(starts))

    assert load_one(session).no_rate == no_rate
    assert load_one(session).price_cents == (None if no_rate else 200_00)


def test_periods_of_several_currencies_add_up_in_the_base_currency(session: Session) -> None:
    add_rate(session, "EUR", day(300), "1.2")
    add_rate(session, "JPY", day(300), "0.0065")
    for number, (cents, currency) in enumerate(
        ((100_00, "USD"), (100_00, "EUR"), (1_000_000, "JPY"))
    ):
        factories.subscription(
            session,
            mrr_cents=cents,
            currency=currency,
            starts_on=day(200),
            subscription_id=f"s{number}",
        )

    assert load_one(session).mrr_cents == 100_00 + 120_00 + 65_00
    assert load_one(session).price_cents == 285_00


def test_a_new_period_takes_the_new_rate(session: Session) -> None:
    add_rate(session, "EUR", day(300), "1")
    add_rate(session, "EUR", day(14), "3")
    factories.subscription(session, currency="EUR", starts_on=day(100), ends_on=day(13))
    factories.subscription(session, currency="EUR", starts_on=day(13))

    features = load_one(session)

    assert features.mrr_cents == 300_00
    assert features.price_cents == 200_00, "14 days at 100 and 14 days at 300"


def test_without_a_rate_for_one_of_its_periods_an_account_has_no_price(session: Session) -> None:
    factories.subscription(session, mrr_cents=100_00)
    factories.subscription(session, currency="EUR", mrr_cents=1, subscription_id="add-on")

    features = load_one(session)

    assert (features.pays, features.no_rate, features.price_cents) == (True, True, None)
    assert features.mrr_cents is None, "the part in a known currency is not the whole"


def test_a_free_subscription_needs_no_rate(session: Session) -> None:
    factories.subscription(session, mrr_cents=100_00)
    factories.subscription(session, currency="EUR", mrr_cents=0, subscription_id="trial")

    assert (load_one(session).no_rate, load_one(session).price_cents) == (False, 100_00)


def test_a_period_that_ended_before_the_window_needs_no_rate(session: Session) -> None:
    factories.subscription(session, currency="EUR", starts_on=day(400), ends_on=day(27))
    factories.subscription(session, starts_on=day(27), subscription_id="new")

    assert (load_one(session).no_rate, load_one(session).price_cents) == (False, 100_00)
    assert load_one(session, day(1)).no_rate


def test_rates_of_later_days_and_of_other_workspaces_are_not_used(session: Session) -> None:
    factories.workspace(session, "other")
    other_rate = ExchangeRate(
        workspace_id="other", currency="EUR", starts_on=day(900), rate=Decimal(2)
    )
    session.add(other_rate)
    add_rate(session, "EUR", day(1), "2")
    factories.subscription(session, currency="EUR", starts_on=day(2))

    assert load_one(session).no_rate


def test_a_price_in_the_base_currency_needs_no_rate(session: Session) -> None:
    factories.subscription(session, currency="EUR")

    assert load_one(session, base="EUR").price_cents == 100_00
    assert load_one(session, base="USD").no_rate
