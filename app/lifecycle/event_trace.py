"""Whether the newest score of an account includes an event. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

ScoreInclusion = Literal["counted", "pending", "outside_window", "frozen", "not_usage", "no_score"]


@dataclass(frozen=True, slots=True)
class NewestScore:
    """The newest score of an account and the length of its window."""

    as_of: date
    data_through: datetime
    is_stale: bool
    window_days: int

    @property
    def window_start(self) -> date:
        """The first day of the window."""
        return self.as_of - timedelta(days=self.window_days - 1)


def score_inclusion(
    score: NewestScore | None, *, in_usage: bool, day: date, known_on: date, received_at: datetime
) -> ScoreInclusion:
    """Return whether the score includes an event. ``day``: the day on which the event counts.

    ``known_on`` is later than the day of receipt if the event waited for its account or was in
    quarantine.
    """
    if not in_usage:
        return "not_usage"
    if score is None:
        return "no_score"
    if not score.window_start <= day:
        return "outside_window"
    if score.data_through >= received_at and score.as_of >= max(day, known_on):
        return "counted"
    return "frozen" if score.is_stale else "pending"
