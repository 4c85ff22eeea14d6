"""The line of a score over days, with gaps where there is no score. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

FULL = 100.0
"""The highest score."""

ScoredDays = Sequence[tuple[date, float | None]]
"""Scores by day, oldest first; None: no score."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The area of a chart: days from left to right, 0 to 100 from bottom to top."""

    first: date
    last: date
    left: float
    top: float
    width: float
    height: float

    def x(self, day: date) -> float:
        days = max((self.last - self.first).days, 1)
        return self.left + self.width * (day - self.first).days / days

    def y(self, score: float) -> float:
        return self.top + self.height * (FULL - score) / FULL


def path(days: ScoredDays, frame: Frame) -> str:
    """Return the line as the data of an SVG path: a move after each gap."""
    return "".join(_steps(days, frame))


def _steps(days: ScoredDays, frame: Frame) -> Iterator[str]:
    is_drawing = False
    for day, score in days:
        if score is not None:
            yield f"{'L' if is_drawing else 'M'}{frame.x(day):.1f} {frame.y(score):.1f}"
        is_drawing = score is not None
