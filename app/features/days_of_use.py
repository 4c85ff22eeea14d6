"""The days on which accounts were used, and what the feature table counts on them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.arrays import Floats, Integers, np

YEAR_DAYS, QUARTER_DAYS, WEEK_DAYS, WEEKS = 364, 84, 7, 8


@dataclass(frozen=True, slots=True)
class DaysOfUse:
    """The use of an account by day, in order; days as ordinals.

    A day has a row for each day on which a part of its events became known. ``excluded_on``: from
    when a part is not counted, because it was an excluded user's.
    """

    day: Integers
    known_on: Integers
    excluded_on: Integers
    events: Floats

    def known_by(self, as_of: int) -> tuple[Integers, Floats]:
        """Return the ages and the events of the parts of a year that count as of a day."""
        start, end = np.searchsorted(self.day, [as_of - YEAR_DAYS, as_of], side="right")
        window = slice(start, end)
        counts = (self.known_on[window] <= as_of) & (self.excluded_on[window] > as_of)
        return as_of - self.day[window][counts], self.events[window][counts]


class DayCounts:
    """Counts of rows, each an account as of a day: ``add`` rows, then read ``columns``.

    ``silence_days``: after a silence of so many days an account has returned.
    """

    def __init__(self, rows: int, silence_days: int) -> None:
        self.silence_days = silence_days
        self.events = np.zeros((rows, QUARTER_DAYS))
        self.is_used = np.zeros((rows, QUARTER_DAYS), bool)
        self.recency, self.oldest, self.returned = np.full((3, rows), np.nan)
        self.days = np.zeros(rows)

    def add(self, row: int, use: DaysOfUse, as_of: int) -> None:
        ages, events = use.known_by(as_of)
        if not ages.size:
            return
        lately = ages < QUARTER_DAYS
        self.events[row] = np.bincount(ages[lately], events[lately], minlength=QUARTER_DAYS)
        self.is_used[row, ages[lately]] = True
        used = np.unique(ages)
        self.days[row], self.recency[row], self.oldest[row] = len(used), used[0], used[-1]
        after_silence = np.flatnonzero(np.diff(used) >= self.silence_days)
        if after_silence.size:
            self.returned[row] = used[after_silence[0]]

    def columns(self) -> Mapping[str, Floats]:
        """Return the counts by name. The last day of use is as old as ``recency``."""
        return {
            "recency": self.recency,
            "oldest": self.oldest,
            "returned": self.returned,
            "active_days_364": self.days,
            **{f"events_{n}": self.events[:, :n].sum(axis=1) for n in (7, 14, 28, 84)},
            **{
                f"active_days_{n}": self.is_used[:, :n].sum(axis=1, dtype=float)
                for n in (7, 14, 28, 84)
            },
            "events_28_before": self.events[:, 28:56].sum(axis=1),
            "active_days_28_before": self.is_used[:, 28:56].sum(axis=1, dtype=float),
            **{
                f"week_{n}": self.events[:, WEEK_DAYS * n : WEEK_DAYS * (n + 1)].sum(axis=1)
                for n in range(WEEKS)
            },
        }
