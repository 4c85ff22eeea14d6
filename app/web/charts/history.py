"""The score of an account over months, with marks for what happened. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from app.web.charts.lines import FULL, Frame, ScoredDays, path
from app.web.charts.svg import chart, element, text

WIDTH, HEIGHT = 720.0, 210.0
LEFT, TOP, RIGHT, BOTTOM = 28.0, 26.0, 10.0, 22.0
LEAST_GAP = 14.0
"""Marks nearer than this are drawn in the next row."""
ROWS = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened on a day. ``sign``: one letter, so that a mark needs no colour."""

    day: date
    sign: str
    label: str


def history(
    days: ScoredDays,
    marks: Sequence[Mark],
    first: date,
    last: date,
    *,
    band_limits: Sequence[float],
    title: str,
    description: str,
) -> str:
    """Draw the scores on the scale 0-100, lines at the limits of the bands, and the marks."""
    frame = Frame(first, last, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)
    return chart(
        "history",
        WIDTH,
        HEIGHT,
        *_grid(frame, (0.0, *band_limits, FULL)),
        *_months(frame),
        element("path", d=path(days, frame)),
        *_marks(frame, marks),
        title=title,
        description=description,
    )


def _grid(frame: Frame, levels: Sequence[float]) -> Iterator[str]:
    for level in levels:
        y = frame.y(level)
        yield element("line", x1=frame.left, x2=frame.left + frame.width, y1=y, y2=y, class_="grid")
        yield text(f"{level:.0f}", frame.left - 5, y + 3.5, text_anchor="end")


def _months(frame: Frame) -> Iterator[str]:
    """Yield a tick and a name such as ``03`` for each month that begins; the year with January."""
    month = date(frame.first.year, frame.first.month, 1)
    while month <= frame.last:
        if month >= frame.first:
            x, y = frame.x(month), frame.top + frame.height
            yield element("line", x1=x, x2=x, y1=y, y2=y + 4, class_="grid")
            name = f"{month:%Y-%m}" if month.month == 1 else f"{month:%m}"
            yield text(name, x, y + 15, text_anchor="middle")
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _marks(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    ends = [-LEAST_GAP] * ROWS
    for mark in sorted(marks, key=lambda each: each.day):
        x = frame.x(mark.day)
        row = next((row for row in range(ROWS) if x - ends[row] >= LEAST_GAP), ROWS - 1)
        ends[row] = x
        y = frame.top - 6 - 11 * row
        line = element("line", x1=x, x2=x, y1=y + 2, y2=frame.top + frame.height)
        sign = text(mark.sign, x, y, text_anchor="middle")
        title = element("title", escape(f"{mark.day}: {mark.label}"))
        yield element("g", title + line + sign, class_="mark")
