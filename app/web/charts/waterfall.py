"""How a score moved from one day to another: bars whose labels add up exactly. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from app.core.number_format import format_number, format_signed
from app.web.charts.svg import chart, element, text

WIDTH, ROW, BAR = 640.0, 24.0, 14.0
LABEL, VALUE = 190.0, 50.0
"""The widths of the names at the left and of the numbers at the right."""
LONGEST_NAME = 30


@dataclass(frozen=True, slots=True)
class Step:
    """One effect: ``points`` with one decimal, as its label shows them."""

    name: str
    points: float


def waterfall(
    start: tuple[str, float],
    steps: Sequence[Step],
    end: tuple[str, float],
    *,
    title: str,
    description: str,
) -> str:
    """Draw the score of the first day, a bar for each step, and the score of the last day.

    ``start`` and ``end``: a name and a score with one decimal.
    """
    levels = list(accumulate((step.points for step in steps), initial=start[1]))
    low, high = min(0.0, *levels, end[1]), max(*levels, end[1], 1.0)
    scale = (WIDTH - LABEL - VALUE) / (high - low)

    def x(level: float) -> float:
        return LABEL + (level - low) * scale

    parts = [_bar(0, start[0], x(0.0), x(start[1]), format_number(start[1]), "total")]
    for row, (step, before) in enumerate(zip(steps, levels, strict=False), start=1):
        kind = "up" if step.points >= 0 else "down"
        ends = x(before), x(before + step.points)
        parts.append(_bar(row, step.name, *ends, format_signed(step.points), kind))
    last = len(steps) + 1
    parts.append(_bar(last, end[0], x(0.0), x(end[1]), format_number(end[1]), "total"))
    return chart("waterfall", WIDTH, ROW * (last + 1), *parts, title=title, description=description)


def _bar(row: int, name: str, begin: float, end: float, label: str, kind: str) -> str:  # noqa: PLR0917
    y = row * ROW
    left, width = min(begin, end), max(abs(end - begin), 1.0)
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return element(
        "g",
        text(short, 0, y + 16)
        + element("rect", x=left, y=y + 5, width=width, height=BAR)
        + text(label, left + width + 5, y + 16),
        class_=kind,
    )
