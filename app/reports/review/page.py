"""Render the review as one printable HTML page, without scripts or external resources. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.catalogue import load_catalogue
from app.core.languages import Language
from app.core.number_format import UNKNOWN
from app.signals.sentences import format_amount

if TYPE_CHECKING:
    from jinja2 import Template

WIDTH, HEIGHT = 320, 60


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """A measure over time, as an SVG polyline.

    ``per_dollar``: the values are for each 100 of monthly price, otherwise raw.
    """

    measure: str
    per_dollar: bool
    points: str
    first_day: date
    last_day: date
    low: float
    high: float
    last: float


def score_line(value: Sequence[Mapping[str, Any]]) -> MeasureLine | None:
    """Draw the health score; None for the customer's version, which has none."""
    points = [
        {"day": p["day"], "measures": [{"measure": "score", "raw": p["score"], "per_dollar": None}]}
        for p in value
        if p.get("score") is not None
    ]
    return _measure_line(points, "score")


def measure_lines(value: Sequence[Mapping[str, Any]]) -> list[MeasureLine]:
    """Draw each measure with a value on at least two days, in the order of first appearance."""
    measures = {each["measure"]: None for point in value for each in point["measures"]}
    return [line for name in measures if (line := _measure_line(value, name))]


def _measure_line(value: Sequence[Mapping[str, Any]], name: str) -> MeasureLine | None:
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
    """Render a review. ``review``: the result of ``model_dump``."""
    texts = load_catalogue(__file__, language)
    return _template().render(
        review=review,
        text=texts.format,
        listed=partial(texts.format_list, "list"),
        space="" if language is Language.ZH else " ",
        amount=lambda goal, value: format_amount(goal["metric"], value, goal["currency"], language),
        unknown=UNKNOWN,
        lang=language.tag,
        lines=measure_lines(review["value"]),
        score=score_line(review["value"]),
        width=WIDTH,
        height=HEIGHT,
    )


@cache
def _template() -> "Template":
    """Jinja is imported here: it takes 31 ms, and a process may never show a review."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return templates.get_template("review.html")
