"""Lengths of time in calendar months, counted by hand."""

from datetime import date

import pytest

from app.core.months import add_months, months_between, total_months


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), 2, date(2026, 3, 31)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 12, 1), 1, date(2026, 1, 1)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(
    day: date, months: int, expected: date
) -> None:
    assert add_months(day, months) == expected


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 1, 1), date(2026, 2, 1), 1),
        (date(2026, 2, 1), date(2026, 3, 1), 1),
        (date(2023, 6, 1), date(2024, 6, 1), 12),  # 366 days
        (date(2024, 2, 29), date(2025, 2, 28), 12),
        (date(2026, 1, 31), date(2026, 2, 28), 1),
        (date(2026, 4, 1), date(2026, 4, 16), 0.5),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
        (date(2024, 12, 31), date(2025, 12, 31), 12),
    ],
)
def test_a_calendar_month_is_one_however_many_days_it_has(
    start: date, end: date, months: float
) -> None:
    assert months_between(start, end) == months


def test_only_the_spans_count_and_parts_make_whole_months() -> None:
    """January, 10 days and 21 days of a month of 31: two months."""
    spans = [
        (date(2026, 1, 1), date(2026, 2, 1)),
        (date(2026, 3, 1), date(2026, 3, 11)),
        (date(2026, 5, 1), date(2026, 5, 22)),
    ]

    assert total_months(spans) == 2
