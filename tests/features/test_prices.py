"""What an account pays, in the base currency, at the rates of the days on which periods began."""

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
    session: Session, as_of: date = AS_OF, base: str = "USD", **lens: Any
) -> AccountFeatures:  # noqa: ANN401
    through = FeatureSpec(FeatureMap([]), ReachSource(), base, 28, **lens)
    [found] = load_account_features(session, "acme", ["a1"], as_of=as_of, lens=through)
    return found


def add_rate(session: Session, currency: str, starts_on: date, worth: str) -> None:
    row = ExchangeRate(
        workspace_id="acme", currency=currency, starts_on=starts_on, rate=Decimal(worth)
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

    found = load_one(session)

    assert found.price_cents == pytest.approx((7 * 100_00 + 7 * 300_00 + 10_00) / 14)
    assert (found.mrr_cents, found.pays, found.paid_until) == (310_00, True, None)


def test_a_price_in_another_currency_has_no_rate(session: Session) -> None:
    factories.subscription(session, currency="EUR")

    found = load_one(session)

    assert (found.pays, found.no_rate, found.price_cents) == (True, True, None)


def test_who_stopped_paying_has_churned_on_the_first_day_without(session: Session) -> None:
    factories.subscription(session, ends_on=AS_OF)

    assert load_one(session, as_of=day(1)).pays
    found = load_one(session)
    assert (found.churned, found.paid_until, found.price_cents) == (True, AS_OF, None)


def test_a_price_in_another_currency_is_converted_at_the_rate_of_its_first_day(
    session: Session,
) -> None:
    for back, worth in ((200, "1.5"), (100, "1.1"), (50, "9")):
        add_rate(session, "EUR", day(back), worth)
    factories.subscription(session, mrr_cents=100_05, currency="EUR", starts_on=day(60))

    found = load_one(session)

    assert (found.pays, found.no_rate, found.currency) == (True, False, "EUR")
    assert (found.price_cents, found.mrr_cents) == (110_06, 110_06), "half a cent counts as one"


@pytest.mark.parametrize(("starts", "no_rate"), [(60, False), (61, True)])
def test_a_rate_holds_from_its_own_day_on(session: Session, starts: int, *, no_rate: bool) -> None:
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


def test_a_period_that_starts_again_takes_the_new_rate(session: Session) -> None:
    add_rate(session, "EUR", day(300), "1")
    add_rate(session, "EUR", day(14), "3")
    factories.subscription(session, currency="EUR", starts_on=day(100), ends_on=day(13))
    factories.subscription(session, currency="EUR", starts_on=day(13))

    found = load_one(session)

    assert found.mrr_cents == 300_00
    assert found.price_cents == 200_00, "14 days at 100 and 14 days at 300"


def test_without_a_rate_for_one_of_its_periods_an_account_has_no_price(session: Session) -> None:
    factories.subscription(session, mrr_cents=100_00)
    factories.subscription(session, currency="EUR", mrr_cents=1, subscription_id="add-on")

    found = load_one(session)

    assert (found.pays, found.no_rate, found.price_cents) == (True, True, None)
    assert found.mrr_cents == 100_00, "what can be said of it"


def test_what_costs_nothing_needs_no_rate(session: Session) -> None:
    factories.subscription(session, mrr_cents=100_00)
    factories.subscription(session, currency="EUR", mrr_cents=0, subscription_id="trial")

    assert (load_one(session).no_rate, load_one(session).price_cents) == (False, 100_00)


def test_what_has_ended_long_ago_needs_no_rate(session: Session) -> None:
    factories.subscription(session, currency="EUR", starts_on=day(400), ends_on=day(27))
    factories.subscription(session, starts_on=day(27), subscription_id="new")

    assert (load_one(session).no_rate, load_one(session).price_cents) == (False, 100_00)
    assert load_one(session, day(1)).no_rate


def test_the_rate_of_a_later_day_and_of_another_workspace_are_no_rates(session: Session) -> None:
    factories.workspace(session, "other")
    theirs = ExchangeRate(workspace_id="other", currency="EUR", starts_on=day(900), rate=Decimal(2))
    session.add(theirs)
    add_rate(session, "EUR", day(1), "2")
    factories.subscription(session, currency="EUR", starts_on=day(2))

    assert load_one(session).no_rate


def test_another_base_currency_turns_the_question_round(session: Session) -> None:
    factories.subscription(session, currency="EUR")

    assert load_one(session, base="EUR").price_cents == 100_00
    assert load_one(session, base="USD").no_rate
