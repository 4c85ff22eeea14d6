"""Sum up the daily counts of ingestion, by key and SDK."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

COUNTERS = (
    *("received", "accepted", "duplicates", "quarantined", "erased"),
    *("late", "unattributed", "attributed", "replayed"),
)
MAX_HINTS = 20


def sum_by_sender(daily_counts: Sequence[Any]) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return the totals, and the sums by key and SDK in the order of the input.

    ``daily_counts``: rows with ``COUNTERS`` of a key, SDK, day and code, in this order.
    """
    senders = groupby(daily_counts, key=attrgetter("key_id", "key_name", "sdk"))
    return _sum(daily_counts), [_sum_sender(*sender, [*rows]) for sender, rows in senders]


def _sum_sender(key_id: str, key_name: str | None, sdk: str, rows: Sequence[Any]) -> dict[str, Any]:
    by_code: Counter[str] = Counter()
    hints: Counter[str] = Counter()
    for row in rows:
        if row.warned:
            hints[row.code] += row.warned
        elif row.code:
            by_code[row.code] += row.quarantined
    days = groupby(rows, key=attrgetter("day"))
    return {
        "key_id": key_id,
        "key_name": key_name,
        "sdk": sdk or None,
        "last_received_at": max((row.last_at for row in rows if row.last_at), default=None),
        "quarantined_by_code": by_code,
        "hints": [{"hint": h, "events": n} for h, n in hints.most_common(MAX_HINTS)],
        "days": [{"day": day, **_sum([*of_day])} for day, of_day in days],
        **_sum(rows),
    }


def _sum(rows: Sequence[Any]) -> dict[str, int]:
    return {name: int(sum(getattr(row, name) for row in rows)) for name in COUNTERS}
