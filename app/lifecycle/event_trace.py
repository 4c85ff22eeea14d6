"""Where an event stands on its way into the score of its account."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

ScoreInclusion = Literal["counted", "pending", "outside_window", "frozen", "not_usage", "no_score"]


@dataclass(frozen=True, slots=True)
class NewestScore:
    """The newest score of an account, and over how many days it looks."""

    as_of: date
    data_through: datetime
    is_stale: bool
    window_days: int

    @property
    def window_start(self) -> date:
        """The first day that it looks at."""
        return self.as_of - timedelta(days=self.window_days - 1)


def score_inclusion(
    score: NewestScore | None, *, in_usage: bool, day: date, known_on: date, received_at: datetime
) -> ScoreInclusion:
    """Tell whether the score has used what happened on a day and was received at a time.

    What was counted on a later day than it was received waited for its account, or in quarantine.
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
