"""The days on which items are invoiced."""

from datetime import date

import pytest

from app.billing.cycles import BillingCycle

FIRST = date(2026, 1, 31)


def cycle(interval: str, count: int = 1, *, ends: str, starts: str | None = None) -> BillingCycle:
    start = date.fromisoformat(starts) if starts else None
    return BillingCycle(interval, count, FIRST, date.fromisoformat(ends), start)


@pytest.mark.parametrize(
    ("given", "day", "invoiced", "following"),
    [
        (cycle("year", ends="2027-01-31"), "2026-04-30", "2026-01-31", "2027-01-31"),
        (cycle("year", ends="2027-01-31"), "2028-03-01", "2028-01-31", "2029-01-31"),
        (cycle("month", 3, ends="2026-04-30"), "2026-05-01", "2026-04-30", "2026-07-30"),
        (cycle("month", 3, ends="2026-04-30", starts="2026-01-31"), *("2026-07-31",) * 3),
        (cycle("month", ends="2026-02-28", starts="2026-01-31"), *("2026-03-31",) * 3),
        (cycle("month", ends="2026-02-15"), "2026-02-01", "2026-01-31", "2026-02-15"),
        (cycle("week", 2, ends="2026-02-14"), "2026-03-01", "2026-02-28", "2026-03-14"),
        (cycle("day", 30, ends="2026-03-02"), "2026-03-31", "2026-03-02", "2026-04-01"),
        (cycle("month", ends="2026-02-28"), *("2026-01-31",) * 3),
    ],
)
def test_a_day_is_paid_by_the_invoice_before_it(
    given: BillingCycle, day: str, invoiced: str, following: str
) -> None:
    assert given.invoiced_on(date.fromisoformat(day)) == date.fromisoformat(invoiced)
    assert given.next_invoice_on(date.fromisoformat(day)) == date.fromisoformat(following)


def test_the_end_of_the_calendar_is_no_error() -> None:
    for interval in ("day", "month", "year"):
        huge = BillingCycle(interval, 10**18, FIRST, date(2027, 1, 31))

        assert huge.next_invoice_on(date(9999, 12, 31)) == date.max
        assert huge.invoiced_on(date(9999, 12, 31)) == date(2027, 1, 31)
        assert huge.invoiced_on(FIRST) == FIRST
