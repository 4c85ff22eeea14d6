"""Replace values that SDKs send and PostgreSQL cannot store: NaN, huge numbers, NUL, surrogates.

A huge integer becomes a text of its digits: it may be an id.
"""

import math
from collections.abc import Iterator
from typing import Any

MAX_INTEGER = 2**63 - 1


def sanitize_json(value: Any) -> tuple[Any, frozenset[str]]:  # noqa: ANN401 - any JSON value
    """Return the value in a storable form, and a warning code for each kind of change."""
    warnings: set[str] = set()
    return _sanitize(value, warnings), frozenset(warnings)


def nesting_depth(value: Any) -> int:  # noqa: ANN401 - any JSON value
    """Count the levels of objects and arrays, without recursion."""
    levels, layer = 0, [value]
    while layer := [v for v in layer if isinstance(v, dict | list)]:
        levels += 1
        layer = [child for node in layer for child in _children(node)]
    return levels


def _children(node: Any) -> Iterator[Any]:  # noqa: ANN401 - a dict or a list
    return iter(node.values() if isinstance(node, dict) else node)


def _sanitize(value: Any, warnings: set[str]) -> Any:  # noqa: ANN401 - any JSON value
    match value:
        case str():
            return _sanitize_text(value, warnings)
        case int() | float() if warning := _number_warning(value):
            warnings.add(warning)
            return str(value) if isinstance(value, int) else None
        case dict():
            return {
                _sanitize_text(key, warnings): _sanitize(child, warnings)
                for key, child in value.items()
            }
        case list():
            return [_sanitize(child, warnings) for child in value]
    return value


def _number_warning(number: float) -> str | None:
    if isinstance(number, int):
        return "number_too_large" if abs(number) > MAX_INTEGER else None
    return None if math.isfinite(number) else "non_finite_number"


def _sanitize_text(text: str, warnings: set[str]) -> str:
    if "\x00" in text:
        warnings.add("nul_removed")
        text = text.replace("\x00", "")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            warnings.add("lone_surrogate_replaced")
            text = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text
