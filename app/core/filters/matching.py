"""One filter language for lists, saved segments and rules (docs/lists.md): what it lets through.

A condition either holds or does not: what is compared with an unknown value does not hold, and
``not`` lets exactly through what its inside does not. ``filter_sql`` says the same in SQL. Pure.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from math import isnan
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from app.core.filters.parser import DAY_PATTERN, FilterError, parse_filter
from app.core.filters.tree import (
    MATCH_ALL,
    And,
    Condition,
    FieldType,
    Filter,
    Not,
    Op,
    Or,
    exact_values,
    fields_of,
    replace_exact_values,
    resolve_relative_days,
)

__all__ = [
    "MATCH_ALL",
    "And",
    "Or",
    "Condition",
    "Filter",
    "FilterError",
    "FieldType",
    "Not",
    "Op",
    "fields_of",
    "resolve_relative_days",
    "matches",
    "parse_filter",
    "replace_exact_values",
    "exact_values",
]

ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def matches(wanted: Filter, value_of: Callable[[str], object]) -> bool:
    """Whether something is let through. None, and a float that is no number, is unknown."""
    match wanted:
        case And(parts):
            return all(matches(part, value_of) for part in parts)
        case Or(parts):
            return any(matches(part, value_of) for part in parts)
        case Not(part):
            return not matches(part, value_of)
        case Condition():
            return _holds(wanted, value_of(wanted.field))


def fold_case(text: str) -> str:
    """Take A to Z for a to z, and no other letters: as the database does in its collation C."""
    return text.translate(ASCII_LOWER)


def _holds(condition: Condition, found: object) -> bool:
    unknown = found is None or (isinstance(found, float) and isnan(found))
    if condition.op is Op.IS_NULL:
        return unknown is condition.value
    return not unknown and COMPARISONS[condition.op](found, condition.value)


def _contains(found: Any, asked: Any) -> bool:  # noqa: ANN401 - a value of any kind
    """Whether a text has another in it, or a list has it as an entry."""
    if isinstance(found, list):
        return any(_compare(operator.eq, each, asked) for each in found)
    return isinstance(found, str) and fold_case(asked) in fold_case(found)


def _starts(found: Any, asked: Any) -> bool:  # noqa: ANN401 - a value of any kind
    return isinstance(found, str) and fold_case(found).startswith(fold_case(asked))


def _is_in(found: object, asked: Any) -> bool:  # noqa: ANN401 - values of any kind
    return any(_compare(operator.eq, found, each) for each in asked)


def _compare(how: Callable[[Any, Any], bool], found: object, asked: object) -> bool:
    """Compare only what is of one kind: 1 is not true, and no text is a number."""
    match asked:
        case date():
            day = _day(found)
            return day is not None and how(day, asked.isoformat())
        case bool():
            return isinstance(found, bool) and how(found, asked)
        case str():
            return isinstance(found, str) and how(found, asked)
        case int() | float():
            is_number = isinstance(found, int | float) and not isinstance(found, bool)
            return is_number and how(found, asked)
    raise TypeError("a day that moves is fixed with fix_days before it is compared")


def _day(found: object) -> str | None:
    """Read a day, or the head of a text that has the shape of one."""
    if isinstance(found, date):
        return (found.date() if isinstance(found, datetime) else found).isoformat()
    return found[:10] if isinstance(found, str) and DAY_PATTERN.match(found) else None


COMPARISONS: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: partial(_compare, operator.eq),
    Op.NE: lambda found, asked: not _compare(operator.eq, found, asked),
    Op.LT: partial(_compare, operator.lt),
    Op.LTE: partial(_compare, operator.le),
    Op.GT: partial(_compare, operator.gt),
    Op.GTE: partial(_compare, operator.ge),
    Op.IN: _is_in,
    Op.NOT_IN: lambda found, asked: not _is_in(found, asked),
    Op.CONTAINS: _contains,
    Op.STARTS_WITH: _starts,
}
