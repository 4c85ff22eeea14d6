"""Statistics: what they are told of a batch beside its statement, and how they are summed up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.events.reading.batch import ParsedBatch

NO_CODE = ""
COUNTERS = (
    *("received", "accepted", "duplicates", "quarantined", "erased"),
    *("late", "unattributed", "attributed", "replayed"),
)


@dataclass(frozen=True, slots=True)
class DailyCounts:
    """What became of the events of one key, SDK and code on one day; ``counts`` by counter."""

    key_id: str
    key_name: str | None
    sdk: str
    code: str
    day: date
    last_at: datetime | None
    counts: Mapping[str, int]


@dataclass(slots=True)
class SenderTotals:
    """What one key sent with one SDK, in all and by day."""

    key_id: str
    key_name: str | None
    sdk: str | None
    last_received_at: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)
    quarantined_by_code: Counter[str] = field(default_factory=Counter)
    days: dict[date, Counter[str]] = field(default_factory=dict)

    def add(self, told: DailyCounts) -> None:
        self.counts.update(told.counts)
        self.days.setdefault(told.day, Counter()).update(told.counts)
        if told.code:
            self.quarantined_by_code[told.code] += told.counts["quarantined"]
        times = [each for each in (self.last_received_at, told.last_at) if each]
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


def sum_by_sender(told: Iterable[DailyCounts]) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Sum up in all, and by key and SDK in the order in which they come."""
    totals: Counter[str] = Counter()
    senders: dict[tuple[str, str], SenderTotals] = {}
    for each in told:
        totals.update(each.counts)
        key = (each.key_id, each.sdk)
        senders.setdefault(key, SenderTotals(each.key_id, each.key_name, each.sdk)).add(each)
    return _all_counters(totals), [sender.as_json() for sender in senders.values()]


def _all_counters(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in COUNTERS}


def count_excluded(come: ParsedBatch, kept: ParsedBatch) -> list[dict[str, Any]]:
    """Count by SDK and code what does not reach the statement.

    That is repeats within the batch, what is put aside and what was erased. ``come`` is the batch
    as it was read, ``kept`` the same without what was erased.
    """
    if not (kept.repeats or kept.rejected or kept.erased):
        return []
    duplicates = Counter(event.sdk or "" for event in kept.repeats.values())
    quarantined = Counter((row.sdk or "", row.code) for row in kept.rejected)
    sdks = _sdks(come) if kept.erased else {}
    erased = Counter(sdks.get(n) or "" for n in kept.erased)
    return [
        *(_row(sdk, NO_CODE, duplicates=n) for sdk, n in sorted(duplicates.items())),
        *(_row(sdk, code, quarantined=n) for (sdk, code), n in sorted(quarantined.items())),
        *(_row(sdk, NO_CODE, erased=n) for sdk, n in sorted(erased.items())),
    ]


def _sdks(reading: ParsedBatch) -> Mapping[int, str | None]:
    return {
        **{event.n: event.sdk for event in reading.events},
        **{n: event.sdk for n, event in reading.repeats.items()},
        **{row.n: row.sdk for row in reading.rejected},
    }


def _row(sdk: str, code: str, **counted: int) -> dict[str, Any]:
    return {"sdk": sdk, "code": code, "duplicates": 0, "quarantined": 0, "erased": 0, **counted}
