"""When a source counts as silent: longer without an event than it has usually been."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

WATCHED = timedelta(days=56)
SHORTEST = timedelta(hours=24)
TIMES_USUAL = 3
USUAL_SHARE = 0.95
TIMES_REPEATED, REPEATED = 1.25, 3
LEAST_HOURS, LEAST_DAYS = 24, 3


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a source sends. ``usual_gap``: 95 of 100 gaps are no longer; None: too little is known.

    ``allowed``: how long it may be without an event before it counts as silent.
    """

    hours: int
    days: int
    usual_gap: timedelta | None = None
    allowed: timedelta | None = None

    def silent_from(self, last_event_at: datetime) -> datetime | None:
        return None if self.allowed is None else last_event_at + self.allowed


def rhythm(hours: Sequence[datetime]) -> Rhythm:
    """Tell the rhythm from the hours that had events, oldest first.

    A gap that came at least three times, such as the weekend or the week between two loads, is
    part of it however few they are among all gaps.
    """
    days = len({hour.date() for hour in hours})
    if len(hours) < LEAST_HOURS or days < LEAST_DAYS:
        return Rhythm(len(hours), days)
    gaps = sorted(later - earlier for earlier, later in pairwise(hours))
    usual = gaps[ceil(USUAL_SHARE * len(gaps)) - 1]
    repeated = gaps[-REPEATED]
    allowed = max(SHORTEST, TIMES_USUAL * usual, TIMES_REPEATED * repeated)
    return Rhythm(len(hours), days, usual, allowed)
