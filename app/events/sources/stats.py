"""Sum up the daily counts of ingestion, by key and SDK."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

COUNTERS = (
    *("received", "accepted", "duplicates", "quarantined", "erased"),
    *("late", "unattributed", "attributed", "replayed"),
)


@dataclass(frozen=True, slots=True)
class DailyCounts:
    """The counts of the events of one key, SDK and quarantine code on one day, by counter."""

    key_id: str
    key_name: str | None
    sdk: str
    code: str
    day: date
    last_at: datetime | None
    counts: Mapping[str, int]


@dataclass(slots=True)
class SenderTotals:
    """The counts of the events that one key sent with one SDK, in total and by day."""

    key_id: str
    key_name: str | None
    sdk: str | None
    last_received_at: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)
    quarantined_by_code: Counter[str] = field(default_factory=Counter)
    days: dict[date, Counter[str]] = field(default_factory=dict)

    def add(self, daily: DailyCounts) -> None:
        self.counts.update(daily.counts)
        self.days.setdefault(daily.day, Counter()).update(daily.counts)
        if daily.code:
            self.quarantined_by_code[daily.code] += daily.counts["quarantined"]
        times = [each for each in (self.last_received_at, daily.last_at) if each]
        self.last_received_at = max(times, default=None)

    def as_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("key_id", "key_name", "last_received_at")},
            "sdk": self.sdk or None,
            "quarantined_by_code": self.quarantined_by_code,
            "days": [
                {"day": day, **_all_counters(counts)} for day, counts in sorted(self.days.items())
            ],
            **_all_counters(self.counts),
        }


def sum_by_sender(
    daily_counts: Iterable[DailyCounts],
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return the totals, and the sums by key and SDK in the order of the input."""
    totals: Counter[str] = Counter()
    senders: dict[tuple[str, str], SenderTotals] = {}
    for daily in daily_counts:
        totals.update(daily.counts)
        sender = SenderTotals(daily.key_id, daily.key_name, daily.sdk)
        senders.setdefault((daily.key_id, daily.sdk), sender).add(daily)
    return _all_counters(totals), [sender.as_json() for sender in senders.values()]


def _all_counters(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in COUNTERS}
