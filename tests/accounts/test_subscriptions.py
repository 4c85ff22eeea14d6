from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounts.subscriptions import (
    Period,
    Terms,
    apply_period,
    end_periods,
    period_with_price,
    withdraw_periods,
)

checked = settings(max_examples=300)

START = date(2026, 1, 1)
DAYS = [START + timedelta(days=n) for n in range(12)]

terms = st.builds(
    Terms,
    plan=st.sampled_from(["basic", "pro"]),
    mrr_cents=st.sampled_from([0, 100, 200]),
    currency=st.just("USD"),
    seats=st.sampled_from([None, 5]),
)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    starts_on = draw(st.sampled_from(DAYS))
    lasts = draw(st.none() | st.integers(1, 6))
    ends_on = None if lasts is None else starts_on + timedelta(days=lasts)
    return Period(starts_on, ends_on, draw(terms), draw(st.none() | st.sampled_from(DAYS)))


ends = st.sampled_from(DAYS)
histories = st.lists(periods() | ends, max_size=8)


class Ledger:
    """Rows by start and known day, as the table stores them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[date, int], Period] = {}

    def write(self, written: Iterable[Period], known_on: int) -> None:
        self.rows |= {(period.starts_on, known_on): period for period in written}

    def known(self, known_on: int) -> list[Period]:
        newest: dict[date, Period] = {}
        for (starts_on, since), period in sorted(self.rows.items(), key=lambda item: item[0]):
            if since <= known_on:
                newest[starts_on] = period
        return [period for period in newest.values() if not period.is_withdrawn]

    def mrr(self, known_on: int) -> list[int]:
        """The MRR of each day, as known on one."""
        known = self.known(known_on)
        return [sum(p.terms.mrr_cents for p in known if p.covers(day)) for day in DAYS]

    def apply(self, change: Period | date, known_on: int) -> None:
        now = self.known(known_on)
        if isinstance(change, Period):
            self.write(apply_period(now, change), known_on)
        else:
            self.write(end_periods(now, change, "price"), known_on)


def period(
    starts: int, ends: int | None = None, *, mrr_cents: int = 100, plan: str = "basic"
) -> Period:
    until = None if ends is None else DAYS[ends]
    return Period(DAYS[starts], until, Terms(plan, mrr_cents, "USD", None))


@checked
@given(histories)
def test_periods_as_last_known_never_overlap(changes: list[Period | date]) -> None:
    ledger = Ledger()
    for day, change in enumerate(changes):
        ledger.apply(change, day)
        known = ledger.known(day)
        assert all(sum(p.covers(d) for p in known) <= 1 for d in DAYS)


@checked
@given(histories, periods())
def test_the_last_period_is_in_force_from_its_start_to_its_end(
    changes: list[Period | date], last: Period
) -> None:
    ledger = Ledger()
    for day, change in enumerate([*changes, last]):
        ledger.apply(change, day)

    known = ledger.known(len(changes))

    for covered in filter(last.covers, DAYS):
        running = next(p for p in known if p.covers(covered))
        assert (running.terms, running.renewal_on) == (last.terms, last.renewal_on)
    if last.ends_on is not None:
        next_days = [p.starts_on for p in known if p.covers(last.ends_on)]
        assert next_days in ([], [last.ends_on]), "a period that was cut off does not resume"


@checked
@given(histories, periods() | ends)
def test_later_knowledge_does_not_rewrite_the_past(
    changes: list[Period | date], later: Period | date
) -> None:
    ledger = Ledger()
    for day, change in enumerate(changes):
        ledger.apply(change, day)
    before = [ledger.mrr(day) for day in range(len(changes))]

    ledger.apply(later, len(changes))

    assert [ledger.mrr(day) for day in range(len(changes))] == before


@checked
@given(histories, periods() | ends)
def test_the_same_change_again_writes_nothing(
    changes: list[Period | date], last: Period | date
) -> None:
    ledger = Ledger()
    for day, each in enumerate([*changes, last]):
        ledger.apply(each, day)
    rows = dict(ledger.rows)

    ledger.apply(last, len(changes) + 1)

    assert ledger.rows == rows


@checked
@given(histories, ends)
def test_after_an_end_nothing_is_paid(changes: list[Period | date], on: date) -> None:
    ledger = Ledger()
    for day, change in enumerate([*changes, on]):
        ledger.apply(change, day)

    assert not any(p.covers(day) for p in ledger.known(len(changes)) for day in DAYS if day >= on)


def test_a_change_ends_the_running_period_and_leaves_later_ones() -> None:
    renewal = period(8, plan="pro")

    written = apply_period([period(0, 8), renewal], period(4, 8, mrr_cents=200))

    assert written == [period(0, 4), period(4, 8, mrr_cents=200)]


def test_open_ended_terms_withdraw_later_periods() -> None:
    later = period(8, plan="pro")

    written = apply_period([period(0, 8), later], period(4, mrr_cents=200))

    assert written == [period(0, 4), period(4, mrr_cents=200), period(8, 8, plan="pro")]


def test_the_same_terms_again_can_extend_a_period() -> None:
    assert apply_period([period(0, 8)], period(4, 10)) == [period(0, 10)]
    assert apply_period([period(0, 8)], period(4, 8)) == []


def test_the_order_of_periods_does_not_matter() -> None:
    history = [period(0, 3), period(3, 6, mrr_cents=200), period(6, mrr_cents=300)]
    forwards, backwards = Ledger(), Ledger()
    for day in range(3):
        forwards.apply(history[day], day)
        backwards.apply(history[2 - day], day)

    assert forwards.known(2) == backwards.known(2) == history


def test_an_end_on_the_day_of_a_change_gives_its_reason_to_the_period_before() -> None:
    ended = end_periods([period(0, 4), period(4, mrr_cents=200)], DAYS[4], "price")

    assert [(p.starts_on, p.ends_on, p.end_reason) for p in ended] == [
        (DAYS[0], DAYS[4], "price"),
        (DAYS[4], DAYS[4], "price"),
    ]


def test_an_earlier_end_is_not_moved() -> None:
    assert end_periods([period(0, 4)], DAYS[6], "price") == []


def test_a_price_trait_leaves_the_terms_that_it_does_not_name() -> None:
    running = Period(DAYS[0], None, Terms(None, 100, "EUR", 5), renewal_on=DAYS[9])

    new = period_with_price([running], {"seats": 7}, on=DAYS[4], base_currency="USD")

    assert new == Period(DAYS[4], None, Terms(None, 100, "EUR", 7), renewal_on=DAYS[9])


def test_another_plan_at_the_same_price_is_a_new_period() -> None:
    running = Period(DAYS[0], None, Terms("pro", 100, "EUR", 5))

    again = period_with_price([running], {"plan": "pro"}, on=DAYS[4], base_currency="USD")
    other = period_with_price([running], {"plan": "scale"}, on=DAYS[4], base_currency="USD")

    assert again is not None
    assert apply_period([running], again) == []
    assert other == Period(DAYS[4], None, Terms("scale", 100, "EUR", 5))


def test_without_a_price_there_is_no_period() -> None:
    ended = period(0, 4)

    assert period_with_price([], {"seats": 7}, on=DAYS[4], base_currency="USD") is None
    assert period_with_price([ended], {"seats": 7}, on=DAYS[4], base_currency="USD") is None


def test_a_first_price_is_in_the_base_currency() -> None:
    new = period_with_price([], {"mrr_cents": 500}, on=DAYS[4], base_currency="EUR")

    assert new == Period(DAYS[4], None, Terms(None, 500, "EUR", None))


def test_a_late_price_ends_where_the_next_one_starts() -> None:
    known = [Period(DAYS[6], None, Terms(None, 300, "USD", None))]

    new = period_with_price(known, {"mrr_cents": 200}, on=DAYS[3], base_currency="USD")

    assert new is not None
    assert new.ends_on == DAYS[6]
    assert apply_period(known, new) == [new]


def test_the_period_before_withdrawn_ones_runs_on_until_the_end_of_the_last() -> None:
    """10 from day 0, then wrongly 20 from day 2 and 30 from day 4 to day 9."""
    ten, twenty, thirty = (Terms("basic", cents, "USD", None) for cents in (10, 20, 30))
    history = [
        Period(DAYS[0], DAYS[2], ten),
        Period(DAYS[2], DAYS[4], twenty),
        Period(DAYS[4], DAYS[9], thirty, end_reason="left"),
    ]
    ledger = Ledger()
    ledger.write(history, 1)

    ledger.write(withdraw_periods(history, history[1:]), 2)

    assert ledger.known(2) == [Period(DAYS[0], DAYS[9], ten, end_reason="left")]
    assert ledger.known(1) == history
