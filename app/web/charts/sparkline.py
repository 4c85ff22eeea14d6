"""A small line of a score, for a row of a table. Pure."""

from datetime import date

from app.web.charts.lines import Frame, ScoredDays, path
from app.web.charts.svg import chart, element

WIDTH, HEIGHT, MARGIN = 90.0, 22.0, 2.0


def sparkline(days: ScoredDays, first: date, last: date, *, title: str) -> str:
    """Draw the scores from ``first`` to ``last`` on the scale 0-100, with a dot at the newest.

    A table without any score has no drawing: the empty text.
    """
    known = [(day, score) for day, score in days if score is not None]
    if not known:
        return ""
    frame = Frame(first, last, MARGIN, MARGIN, WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN)
    newest_day, newest = known[-1]
    return chart(
        "sparkline",
        WIDTH,
        HEIGHT,
        element("path", d=path(days, frame)),
        element("circle", cx=frame.x(newest_day), cy=frame.y(newest), r=1.8),
        title=title,
    )
