"""Prices that events state: the periods do not depend on the order in which events arrive."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.accounts.stated_prices.replay import (
    Cancellation,
    DayStatement,
    replay,
    statements_of,
)
from app.accounts.stated_prices.service import apply_statements
from app.accounts.subscription_queries import list_known_periods, load_mrr_cents
from app.accounts.subscription_service import API, AccountSubscriptions, to_period
from app.accounts.subscriptions import Billing, Period, Terms
from tests import factories

START = datetime(2026, 1, 1, tzinfo=UTC)
Spans = list[tuple[int, int | None, int]]
"""First day, end day and cents; days are counted from the start."""


def day(n: float) -> date:
    return (START + timedelta(days=n)).date()


def stated(at: float, **values: Any) -> DayStatement:  # noqa: ANN401
    moment = START + timedelta(days=at)
    return DayStatement(day(at), {name: (moment, value) for name, value in values.items()})


def cancelled(at: float, ends: int | None = None, reason: str | None = None) -> DayStatement:
    moment = START + timedelta(days=at)
    ends_on = day(at if ends is None else ends)
    return DayStatement(day(at), {}, Cancellation(moment, ends_on, reason))


def merged(*statements: DayStatement) -> list[DayStatement]:
    by_day: dict[date, DayStatement] = {}
    for each in statements:
        by_day[each.day] = by_day.get(each.day, DayStatement(each.day)).merge(each)
    return list(by_day.values())


def spans(*statements: DayStatement) -> Spans:
    return [
        (
            (period.starts_on - day(0)).days,
            (period.ends_on - day(0)).days if period.ends_on else None,
            period.terms.mrr_cents,
        )
        for period in replay(merged(*statements), "USD")
    ]


CASES: dict[str, tuple[list[DayStatement], Spans]] = {
    "cancelled before started": ([stated(1, mrr_cents=100), cancelled(9)], [(1, 9, 100)]),
    "cancelled twice": ([stated(1, mrr_cents=1), cancelled(5), cancelled(9)], [(1, 5, 1)]),
    "an announced end moves earlier only": (
        [stated(1, mrr_cents=1), cancelled(3, 20), cancelled(4, 10), cancelled(5, 30)],
        [(1, 10, 1)],
    ),
    "a price restated before an announced end does not undo it": (
        [stated(1, mrr_cents=1), cancelled(3, 20), stated(5, mrr_cents=2), stated(6, seats=3)],
        [(1, 5, 1), (5, 6, 2), (6, 20, 2)],
    ),
    "a start before an announced end undoes it": (
        [stated(1, mrr_cents=1), cancelled(3, 20), stated(5, mrr_cents=2, started=True)],
        [(1, 5, 1), (5, None, 2)],
    ),
    "a price after the end is a new period": (
        [stated(1, mrr_cents=1), cancelled(3), stated(5, plan="pro"), stated(7, mrr_cents=2)],
        [(1, 3, 1), (7, None, 2)],
    ),
    "an end in the past takes back what was stated since": (
        [stated(1, mrr_cents=1), stated(5, mrr_cents=2), cancelled(9, 3)],
        [(1, 3, 1)],
    ),
    "the same price again still counts after a late one": (
        [stated(1, mrr_cents=100), stated(3, mrr_cents=150), stated(6, mrr_cents=100)],
        [(1, 3, 100), (3, 6, 150), (6, None, 100)],
    ),
    "seats before the price": (
        [stated(1, seats=3, plan="pro"), stated(2, mrr_cents=100)],
        [(2, None, 100)],
    ),
    "within a day by time": (
        [stated(1.1, mrr_cents=100), stated(1.3, seats=2), stated(1.2, mrr_cents=200)],
        [(1, None, 200)],
    ),
    "started and cancelled on one day": ([stated(1.1, mrr_cents=1), cancelled(1.2)], []),
    "cancelled and started on one day": (
        [stated(0, mrr_cents=1), cancelled(1.1), stated(1.2, mrr_cents=2)],
        [(0, 1, 1), (1, None, 2)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_events_in_any_order_give_the_periods_of_their_times(case: str) -> None:
    statements, expected = CASES[case]
    for order in permutations(statements):
        assert spans(*order) == expected


def test_a_period_has_all_that_was_stated_before() -> None:
    statements = [stated(1, plan="pro", seats=3), stated(2, mrr_cents=100), stated(4, seats=5)]

    assert replay(statements, "EUR") == [
        Period(day(2), day(4), Terms("pro", 100, "EUR", 3)),
        Period(day(4), None, Terms("pro", 100, "EUR", 5)),
    ]


def test_a_billing_period_belongs_to_the_price_that_runs_and_to_later_ones() -> None:
    """Monthly with the price of day 1; yearly is stated on day 3, and a price on day 5."""
    statements = [
        stated(1, mrr_cents=100, billing_period_months=1),
        stated(3, billing_period_months=12),
        stated(5, mrr_cents=200),
    ]

    for order in permutations(statements):
        assert replay(order, "USD") == [
            Period(day(1), day(5), Terms(None, 100, "USD", None), billing=Billing(12)),
            Period(day(5), None, Terms(None, 200, "USD", None), billing=Billing(12)),
        ]


def test_after_an_end_nothing_of_the_old_terms_holds() -> None:
    statements = [stated(1, plan="pro", mrr_cents=100), cancelled(3), stated(5, mrr_cents=2)]

    assert replay(statements, "USD")[1] == Period(day(5), None, Terms(None, 2, "USD", None))


moments = st.integers(0, 240).map(lambda hours: hours / 24)
events = st.builds(
    lambda at, cents, months: stated(at, mrr_cents=cents, **months),
    moments,
    st.sampled_from([0, 100, 200]),
    st.sampled_from([{}, {"billing_period_months": 12}]),
) | st.builds(lambda at, later: cancelled(at, int(at) + later), moments, st.integers(-2, 4))


@settings(max_examples=200)
@given(st.lists(events, max_size=7))
def test_periods_are_in_order_and_stored_ones_can_be_read_as_statements(
    statements: list[DayStatement],
) -> None:
    periods = replay(merged(*statements), "USD")

    ends = [period.ends_on or date.max for period in periods]
    assert all(period.starts_on < end for period, end in zip(periods, ends, strict=True))
    assert all(end <= after.starts_on for end, after in zip(ends, periods[1:], strict=False))
    assert replay(merged(*statements_of(periods)), "USD") == periods


def apply(session: Session, *statements: DayStatement, known_on: date | None = None) -> None:
    apply_statements(session, "acme", "a1", statements, known_on=known_on, base_currency="USD")


def test_stored_periods_without_statements_count_as_stated(session: Session) -> None:
    """A database from before statements: 100 since day 0, and then seats on day 9."""
    factories.account(session, "a1")
    factories.subscription(
        session, subscription_id="traits", source="traits", mrr_cents=100, starts_on=day(0)
    )

    apply(session, stated(9, seats=7), known_on=day(9))

    periods = [to_period(row) for row in list_known_periods(session, "acme", "a1")]
    assert periods == [
        Period(day(0), day(9), Terms(None, 100, "USD", None)),
        Period(day(9), None, Terms(None, 100, "USD", 7)),
    ]


def test_late_statements_count_until_terms_of_another_source_start(session: Session) -> None:
    factories.account(session, "a1")
    factories.subscription(session, mrr_cents=500, starts_on=day(6), known_on=day(6))

    apply(session, stated(2, mrr_cents=100), stated(8, mrr_cents=900), known_on=day(9))

    def mrr(on: int) -> dict[str, int]:
        return load_mrr_cents(session, "acme", "a1", on=day(on), known_on=day(9))

    assert [mrr(on) for on in (1, 5, 6, 9)] == [{}, {"USD": 100}, {"USD": 500}, {"USD": 500}]


@pytest.mark.parametrize("put_first", [True, False])
def test_what_was_paid_before_terms_of_another_source_does_not_depend_on_the_order(
    session: Session, *, put_first: bool
) -> None:
    """50 since day 1, the API's 30 since day 9; that it was 20 since day 5 may come last."""
    factories.account(session, "a1")
    account = AccountSubscriptions(session, "acme", "a1", day(9))

    def put() -> None:
        period = Period(day(9), None, Terms(None, 30_00, "USD", None))
        account.put_period("main", period, source=API)

    def state(statement: DayStatement) -> None:
        apply_statements(session, "acme", "a1", [statement], known_on=day(9), base_currency="USD")

    state(stated(1, mrr_cents=50_00))
    if put_first:
        put()
    state(stated(5, mrr_cents=20_00))
    if not put_first:
        put()

    days = (4, 5, 8, 9, 10)
    paid = [load_mrr_cents(session, "acme", "a1", on=day(n), known_on=day(9)) for n in days]
    assert [each.get("USD") for each in paid] == [50_00, 20_00, 20_00, 30_00, 30_00]


def test_history_is_known_on_its_own_days(session: Session) -> None:
    factories.account(session, "a1")

    apply(session, cancelled(9), stated(1, mrr_cents=100), stated(5, mrr_cents=200))

    def mrr(on: int, known: int) -> dict[str, int]:
        return load_mrr_cents(session, "acme", "a1", on=day(on), known_on=day(known))

    assert [mrr(7, known) for known in (0, 4, 8)] == [{}, {"USD": 100}, {"USD": 200}]
    assert [mrr(9, known) for known in (8, 9)] == [{"USD": 200}, {}]
