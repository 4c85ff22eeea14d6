from collections.abc import Iterable
from datetime import date, timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounts.subscriptions import (
    UNKNOWN_BILLING,
    Billing,
    KnownPeriod,
    Period,
    Terms,
    apply_period,
    end_periods,
    end_superseded,
    without_derived_ends,
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


billings = st.sampled_from([UNKNOWN_BILLING, Billing(1), Billing(12, 24, discount_share=0.1)])


@st.composite
def periods(draw: st.DrawFn) -> Period:
    starts_on = draw(st.sampled_from(DAYS))
    lasts = draw(st.none() | st.integers(1, 6))
    ends_on = None if lasts is None else starts_on + timedelta(days=lasts)
    renewal_on = draw(st.none() | st.sampled_from(DAYS))
    return Period(starts_on, ends_on, draw(terms), renewal_on, billing=draw(billings))


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
def test_the_last_period_is_in_force_from_its_start_to_its_end_or_the_next_period(
    changes: list[Period | date], last: Period
) -> None:
    ledger = Ledger()
    for day, change in enumerate([*changes, last]):
        ledger.apply(change, day)

    known = ledger.known(len(changes))

    later = {p.starts_on for p in known if p.starts_on > last.starts_on}
    for covered in filter(last.covers, DAYS):
        running = next((p for p in known if p.covers(covered)), None)
        assert running or min(later) <= covered, "a later period may have ended by itself"
        if covered < min(later, default=DAYS[-1]):
            assert running
            assert (running.terms, running.renewal_on) == (last.terms, last.renewal_on)
            assert running.billing == last.billing
    if last.ends_on is not None and last.ends_on < min(later, default=date.max):
        assert not any(p.covers(last.ends_on) for p in known), "a period that was cut off resumes"


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


def test_open_ended_terms_end_where_a_later_period_starts() -> None:
    later = period(8, plan="pro")

    written = apply_period([period(0, 8), later], period(4, mrr_cents=200))

    assert written == [period(0, 4), period(4, 8, mrr_cents=200)]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_open_ended_periods_end_each_other_in_whatever_order_they_come(
    order: tuple[int, ...],
) -> None:
    """100 from day 0, 200 from day 3, 100 again from day 6 to 8, 300 from day 10."""
    history = [period(0), period(3, mrr_cents=200), period(6, 8), period(10, mrr_cents=300)]
    current: dict[date, Period] = {}
    for n in order:
        written = apply_period(current.values(), history[n], keeps_start=True)
        current |= {each.starts_on: each for each in written}

    days = [sum(p.terms.mrr_cents for p in current.values() if p.covers(day)) for day in DAYS]
    assert days == [100] * 3 + [200] * 3 + [100] * 2 + [0] * 2 + [300] * 2


known_periods = st.builds(KnownPeriod, st.sampled_from(DAYS), periods())


def unique(versions: list[KnownPeriod]) -> list[KnownPeriod]:
    return list({(each.period.starts_on, each.known_on): each for each in versions}.values())


@checked
@given(st.lists(known_periods, max_size=6).map(unique))
def test_versions_never_overlap_on_any_known_day(versions: list[KnownPeriod]) -> None:
    ledger = Ledger()
    for version in end_superseded(versions):
        ledger.write([version.period], DAYS.index(version.known_on))

    for known_on in range(len(DAYS)):
        known = ledger.known(known_on)
        assert all(sum(p.covers(d) for p in known) <= 1 for d in DAYS)


@checked
@given(st.lists(known_periods, max_size=6).map(unique), st.randoms())
def test_versions_can_come_in_any_order_and_again(
    versions: list[KnownPeriod], chance: Random
) -> None:
    expected = end_superseded(versions)
    shuffled = chance.sample(versions, len(versions))

    assert end_superseded(shuffled) == expected
    assert end_superseded(without_derived_ends(expected)) == expected


def test_an_end_by_a_newer_period_is_known_when_the_newer_one_is() -> None:
    older, newer = KnownPeriod(DAYS[0], period(0)), KnownPeriod(DAYS[6], period(5, mrr_cents=200))

    assert end_superseded([newer, older]) == [
        older,
        KnownPeriod(DAYS[6], period(0, 5)),
        newer,
    ]


def test_an_own_earlier_end_stays() -> None:
    versions = [KnownPeriod(DAYS[0], period(0, 3)), KnownPeriod(DAYS[6], period(5))]

    assert end_superseded(versions) == versions


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
