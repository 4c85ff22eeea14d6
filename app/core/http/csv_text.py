"""Format rows as CSV (RFC 4180) that is safe to open in a spreadsheet; parse ``Accept``. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

CSV, JSON = "text/csv", "application/json"

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - meant
"""Characters with which a spreadsheet begins a formula, full-width ones too."""

Rows = Iterable[Mapping[str, Any]]


def prefers_csv(accept: str) -> bool:
    """Whether an ``Accept`` header prefers CSV to JSON, which is the default.

    Of two types with the same weight the more specific one wins, then the first one.
    """
    return _preference(accept, CSV) > max(_preference(accept, JSON), (0.0, 3, 0))


def _preference(accept: str, media_type: str) -> tuple[float, int, int]:
    """Return (weight, specificity, -position) of the most specific range that matches a type."""
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    best = (0, (0.0, 0, 0))
    for position, part in enumerate(accept.split(",")):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        if name in ranges:
            specificity = 3 - ranges.index(name)
            best = max(best, (specificity, (_weight(parameters), specificity, -position)))
    return best[1]


def _weight(parameters: Sequence[str]) -> float:
    weights = [each[2:] for each in parameters if each.startswith("q=")]
    try:
        weight = float(weights[0]) if weights else 1.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def format_csv(columns: Sequence[str], rows: Rows) -> str:
    """Format a header and rows. A column ``trend.d7`` that a row lacks is ``d7`` of ``trend``."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([format_cell(value_at(row, column)) for column in columns] for row in rows)
    return text.getvalue()


def format_cell(value: Any) -> str | float | Decimal:  # noqa: ANN401 - any JSON value
    """Format a JSON value: null is empty, numbers stay numbers, lists and objects are JSON.

    An apostrophe precedes a text that a spreadsheet would run as a formula (CSV injection).
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}" if _is_guarded(value) else value
        case int() | float() | Decimal():
            return value
    return orjson.dumps(value).decode()


def remove_formula_guard(cell: str) -> str:
    """Undo the apostrophe of ``format_cell``, in a file that comes back as an import."""
    return cell[1:] if cell.startswith("'") and _is_guarded(cell) else cell


def _is_guarded(text: str) -> bool:
    """Whether a text is a formula, or one behind apostrophes of its own, which come back too."""
    return text.lstrip("'").startswith(FORMULA_PREFIXES)


def value_at(row: Any, column: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a column, which may be a path into nested objects."""
    if isinstance(row, Mapping) and column in row:
        return row[column]
    for name in column.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row
