from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.accounts import queries, subscription_queries
from app.accounts.stated_prices.replay import DayStatement
from app.accounts.stated_prices.service import apply_statements
from app.accounts.subscription_service import AccountSubscriptions
from app.accounts.subscriptions import Period, Terms
from tests import factories

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
NEW_YEAR_BEFORE = date(2025, 1, 1)


@pytest.fixture(autouse=True)
def account(session: Session) -> None:
    factories.account(session, "a1")


def put(
    session: Session,
    starts_on: date,
    mrr_cents: int,
    *,
    known_on: date,
    subscription_id: str = "main",
    source: str = "api",
    ends_on: date | None = None,
) -> bool:
    new = Period(starts_on, ends_on, Terms("pro", mrr_cents, "USD", 10))
    account = AccountSubscriptions(session, "acme", "a1", known_on)
    return account.put_period(subscription_id, new, source=source)


def put_traits(session: Session, price: Mapping[str, Any], *, on: date) -> None:
    at = datetime.combine(on, time(12), UTC)
    stated = DayStatement(on, {name: (at, value) for name, value in price.items()})
    apply_statements(session, "acme", "a1", [stated], known_on=on, base_currency="USD")


def mrr(session: Session, *, on: date, known_on: date = MAR) -> dict[str, int]:
    return subscription_queries.load_mrr_cents(session, "acme", "a1", on=on, known_on=known_on)


def test_the_price_of_a_day_depends_on_when_it_was_known(session: Session) -> None:
    put(session, JAN, 100, known_on=JAN)
    put(session, JAN, 300, known_on=FEB)

    assert mrr(session, on=JAN, known_on=JAN) == {"USD": 100}
    assert mrr(session, on=JAN, known_on=FEB) == {"USD": 300}
    assert mrr(session, on=JAN, known_on=NEW_YEAR_BEFORE) == {}


def test_an_earlier_known_day_does_not_change_what_is_known_already(session: Session) -> None:
    put(session, JAN, 100, known_on=FEB)
    put(session, JAN, 300, known_on=NEW_YEAR_BEFORE)

    assert mrr(session, on=JAN, known_on=JAN) == {}
    assert mrr(session, on=JAN, known_on=FEB) == {"USD": 300}


def test_the_same_terms_again_write_nothing(session: Session) -> None:
    assert put(session, JAN, 100, known_on=JAN)
    assert not put(session, FEB, 100, known_on=FEB)
    assert put(session, MAR, 200, known_on=MAR)
    assert mrr(session, on=FEB) == {"USD": 100}
    assert mrr(session, on=MAR) == {"USD": 200}


def test_an_account_pays_the_sum_of_its_subscriptions_by_currency(session: Session) -> None:
    factories.subscription(session, subscription_id="one", mrr_cents=100)
    factories.subscription(session, subscription_id="two", mrr_cents=50)
    factories.subscription(session, subscription_id="three", mrr_cents=70, currency="EUR")
    factories.subscription(session, "a2", mrr_cents=999)

    assert mrr(session, on=FEB) == {"EUR": 70, "USD": 150}


def test_price_traits_create_a_subscription(session: Session) -> None:
    put_traits(session, {"mrr_cents": 100, "seats": 5}, on=JAN)
    put_traits(session, {"mrr_cents": 100}, on=FEB)
    put_traits(session, {"mrr_cents": 200}, on=MAR)

    assert [mrr(session, on=day) for day in (JAN, FEB, MAR)] == [
        {"USD": 100},
        {"USD": 100},
        {"USD": 200},
    ]
    periods = subscription_queries.list_known_periods(session, "acme", "a1")
    assert [row.seats for row in periods] == [5, 5]


def test_price_traits_without_a_price_write_nothing(session: Session) -> None:
    put_traits(session, {"seats": 5}, on=JAN)
    assert subscription_queries.list_known_periods(session, "acme", "a1") == []


def test_price_traits_are_ignored_after_any_other_source(session: Session) -> None:
    put(session, JAN, 100, known_on=JAN, ends_on=FEB)

    put_traits(session, {"mrr_cents": 200}, on=MAR)
    assert mrr(session, on=MAR) == {}


def test_another_source_ends_price_traits(session: Session) -> None:
    put_traits(session, {"mrr_cents": 100}, on=JAN)

    put(session, FEB, 200, known_on=MAR, source="import")

    assert mrr(session, on=JAN) == {"USD": 100}
    assert mrr(session, on=FEB) == {"USD": 200}
    assert mrr(session, on=FEB, known_on=FEB) == {"USD": 100}


def test_the_order_of_imported_periods_does_not_matter(session: Session) -> None:
    put(session, FEB, 200, known_on=FEB, source="import")
    put(session, JAN, 100, known_on=JAN, ends_on=FEB, source="import")

    assert mrr(session, on=JAN) == {"USD": 100}
    assert mrr(session, on=FEB) == {"USD": 200}


def test_a_subscription_for_an_unknown_account_creates_the_account(session: Session) -> None:
    new = Period(JAN, None, Terms(None, 100, "USD", None))

    AccountSubscriptions(session, "acme", "new", JAN).put_period("main", new, source="billing")

    assert queries.get_account(session, "acme", "new").name is None
