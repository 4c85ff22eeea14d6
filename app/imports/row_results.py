"""What became of the rows of a page, and the warnings that an import gives by their counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.imports.errors import RowError
from app.imports.event_loader import RowFields

NumberedRow = tuple[int, RowFields]
"""A row and the number of its line."""
ENDS = ("ends", "last_days", "first_days")
COUNTED = ("shortened", *ENDS)
"""Counts of an import of subscriptions: periods that end before the file says, because a newer one
starts; stated ends; of these, last days of months, and first days of months."""
WARNINGS = {
    "shortened_periods": "Some periods end where a newer period of the same subscription starts,"
    " before the end that the file states or without a subscription_id that tells them apart. If"
    " they are products that are paid for side by side, give each a subscription_id and import the"
    " file again.",
    "ends_look_inclusive": "All ends are last days of months, and ends_on was read as the first day"
    " that is not paid: one day is missing. If the file states last paid days, import it with"
    " inclusive ends.",
    "ends_look_exclusive": "All ends are first days of months, and ends_on was read as the last day"
    " that is paid: there is a day too many. If the file states the first days that are not paid,"
    " import it without inclusive ends.",
}


@dataclass(slots=True)
class RowsResult:
    """What became of rows.

    ``duplicates``: they say what was stored already. ``counts``: see ``COUNTED``.
    """

    duplicates: int = 0
    errors: list[RowError] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)


def count_ends(rows: Iterable[RowFields], *, inclusive_ends: bool) -> dict[str, int]:
    """Count the ends that rows state, and those of them that end or begin a month."""
    one_day = timedelta(days=1)
    first_free: list[date] = [row["ends_on"] for row in rows if row.get("ends_on")]
    days = [day - one_day if inclusive_ends else day for day in first_free]
    last_days = sum((day + one_day).day == 1 for day in days if day < date.max)
    first_days = sum(day.day == 1 for day in days)
    return dict(zip(ENDS, (len(days), last_days, first_days), strict=True))


def find_warnings(counts: Mapping[str, int], *, inclusive_ends: bool) -> dict[str, int]:
    """Return warning code to the number of periods it is about."""
    ends, last_days, first_days = (counts.get(name, 0) for name in ENDS)
    found = {
        "shortened_periods": counts.get("shortened", 0),
        "ends_look_inclusive": ends if ends == last_days and not inclusive_ends else 0,
        "ends_look_exclusive": ends if ends == first_days and inclusive_ends else 0,
    }
    return {code: count for code, count in found.items() if count}
