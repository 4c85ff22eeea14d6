"""Calendar months: days a number of months later, and the length of time in months. Pure."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date

MONTHS_PER_YEAR = 12
EARLIEST_DAY = date(1900, 1, 1)
"""An earlier day of a contract, an account or a goal is a mistake, such as the year 0026."""
LONGEST_TERM_MONTHS = 120
"""A contract that is billed or bound for longer is a mistake."""
RENEWAL_GRACE_DAYS = 31
"""The default of the setting: a contract is renewed so many days after its end, or sooner."""
DIGITS = 9
"""Parts of months add up to whole ones only when rounded."""


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or the last day of that month if it is shorter."""
    years, month = divmod(day.month - 1 + months, MONTHS_PER_YEAR)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> float:
    """Return how many calendar months lie between two days; the last one counts in part.

    A year is 12 months, whether or not it holds 29 February.
    """
    months = MONTHS_PER_YEAR * (end.year - start.year) + end.month - start.month
    if add_months(start, months) > end:
        months -= 1
    begun = add_months(start, months)
    rest = (end - begun).days
    return months + rest / (add_months(start, months + 1) - begun).days if rest else float(months)


def total_months(spans: Iterable[tuple[date, date]]) -> float:
    """Add up the months of spans of time. Each is a first day and the day after the last."""
    return round(sum(months_between(start, end) for start, end in spans), DIGITS)
