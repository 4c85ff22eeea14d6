"""When a source counts as silent: longer without an event than it has usually been."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

OBSERVED_PERIOD = timedelta(days=56)
MIN_ALLOWED_GAP = timedelta(hours=24)
USUAL_GAP_FACTOR = 3
USUAL_SHARE = 0.95
REPEATED_GAP_FACTOR, MIN_REPETITIONS = 1.25, 3
MIN_HOURS, MIN_DAYS = 24, 3


@dataclass(frozen=True, slots=True)
class SendingRhythm:
    """How a source sends. ``usual_gap``: 95 of 100 gaps are no longer; None: too little is known.

    ``allowed``: how long it may be without an event before it counts as silent.
    """

    hours: int
    days: int
    usual_gap: timedelta | None = None
    allowed: timedelta | None = None

    def silent_from(self, last_event_at: datetime) -> datetime | None:
        return None if self.allowed is None else last_event_at + self.allowed


def detect_rhythm(hours: Sequence[datetime]) -> SendingRhythm:
    """Tell the rhythm from the hours that had events, oldest first.

    A gap that came at least three times, such as the weekend or the week between two loads, is
    part of it however few they are among all gaps.
    """
    days = len({hour.date() for hour in hours})
    if len(hours) < MIN_HOURS or days < MIN_DAYS:
        return SendingRhythm(len(hours), days)
    gaps = sorted(later - earlier for earlier, later in pairwise(hours))
    usual = gaps[ceil(USUAL_SHARE * len(gaps)) - 1]
    repeated = gaps[-MIN_REPETITIONS]
    allowed = max(MIN_ALLOWED_GAP, USUAL_GAP_FACTOR * usual, REPEATED_GAP_FACTOR * repeated)
    return SendingRhythm(len(hours), days, usual, allowed)
