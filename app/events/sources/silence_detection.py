"""Decide when a source is silent: it has sent no event for longer than is usual for it."""

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
    """How regularly a source sends.

    ``usual_gap``: 95 of 100 gaps between hours with events are no longer.
    ``allowed``: the longest time without an event before the source counts as silent.
    Both are None if there is too little data.
    """

    usual_gap: timedelta | None = None
    allowed: timedelta | None = None

    def silent_from(self, last_event_at: datetime) -> datetime | None:
        return None if self.allowed is None else last_event_at + self.allowed


def detect_rhythm(hours: Sequence[datetime]) -> SendingRhythm:
    """Return the rhythm by the hours that had events, oldest first.

    A gap that occurred at least three times, such as a weekend or the week between two loads, is
    usual, even if it is rare among all gaps.
    """
    days = len({hour.date() for hour in hours})
    if len(hours) < MIN_HOURS or days < MIN_DAYS:
        return SendingRhythm()
    gaps = sorted(later - earlier for earlier, later in pairwise(hours))
    usual = gaps[ceil(USUAL_SHARE * len(gaps)) - 1]
    repeated = gaps[-MIN_REPETITIONS]
    allowed = max(MIN_ALLOWED_GAP, USUAL_GAP_FACTOR * usual, REPEATED_GAP_FACTOR * repeated)
    return SendingRhythm(usual, allowed)
