"""The review as one page that a browser prints: no script, nothing loaded from elsewhere. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.core.languages import Language
from app.reports.review.phrases import PHRASES

WIDTH, HEIGHT = 320, 60
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """A measure over time; ``points``: of an SVG polyline, for each 100 a month where known."""

    measure: str
    per_dollar: bool
    points: str
    first_day: date
    last_day: date
    low: float
    high: float
    last: float


def measure_lines(value: Sequence[Mapping[str, Any]]) -> list[MeasureLine]:
    """Draw each measure that is known on two days at least."""
    measures = {each["measure"]: None for point in value for each in point["measures"]}
    return [line for name in measures if (line := _line(value, name))]


def _line(value: Sequence[Mapping[str, Any]], name: str) -> MeasureLine | None:
    levels = [(p["day"], each) for p in value for each in p["measures"] if each["measure"] == name]
    kind = "per_dollar" if any(each["per_dollar"] is not None for _, each in levels) else "raw"
    known = [(day, float(each[kind])) for day, each in levels if each[kind] is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    (first, _), (last, newest) = known[0], known[-1]
    low, high = min(y for _, y in known), max(y for _, y in known)
    points = " ".join(
        f"{WIDTH * (day - first).days / (last - first).days:.1f},"
        f"{HEIGHT * ((high - y) / (high - low) if high > low else 0.5):.1f}"
        for day, y in known
    )
    return MeasureLine(name, kind == "per_dollar", points, first, last, low, high, newest)


def render(review: Mapping[str, Any], language: Language) -> str:
    """Fill the page with a review, as ``model_dump`` gives it."""
    return TEMPLATES.get_template("review.html").render(
        review=review,
        words=PHRASES[language],
        lang="zh-Hans" if language is Language.ZH else "en",
        lines=measure_lines(review["value"]),
        width=WIDTH,
        height=HEIGHT,
    )
