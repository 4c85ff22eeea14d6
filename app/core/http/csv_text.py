"""Rows as CSV (RFC 4180) that a spreadsheet may open, and who asks for it. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

CSV, JSON = "text/csv", "application/json"

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - they count
"""What a spreadsheet takes for the beginning of a formula, wide letters too."""

Rows = Iterable[Mapping[str, Any]]


def prefers_csv(accept: str) -> bool:
    """Whether an Accept header likes CSV better than JSON, which is what others get.

    Of two that it likes alike the more exactly named one counts, then the one named first.
    """
    return _liking(accept, CSV) > max(_liking(accept, JSON), (0.0, 3, 0))


def _liking(accept: str, kind: str) -> tuple[float, int, int]:
    """Weight, how exactly it is named, and how early; the most exact name decides."""
    names = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    found = (0, (0.0, 0, 0))
    for place, part in enumerate(accept.split(",")):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        if name in names:
            exactness = 3 - names.index(name)
            found = max(found, (exactness, (_weight(parameters), exactness, -place)))
    return found[1]


def _weight(parameters: Sequence[str]) -> float:
    said = [each[2:] for each in parameters if each.startswith("q=")]
    try:
        weight = float(said[0]) if said else 1.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def format_csv(columns: Sequence[str], rows: Rows) -> str:
    """Write a header and rows. A column ``trend.d7`` is what ``trend`` holds as ``d7``."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    paths = [column.split(".") for column in columns]
    writer.writerows([format_cell(_found(row, path)) for path in paths] for row in rows)
    return text.getvalue()


def format_cell(value: Any) -> str | float:  # noqa: ANN401 - any JSON value
    """Null is empty, numbers stay numbers, lists and objects are JSON.

    A text that would be a formula is preceded by an apostrophe: it may come from anybody.
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}" if value.startswith(FORMULA_PREFIXES) else value
        case int() | float():
            return value
    return orjson.dumps(value).decode()


def _found(row: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON value
    for name in path:
        row = row.get(name) if isinstance(row, Mapping) else None
    return row
