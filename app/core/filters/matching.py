"""Evaluate a filter in Python. ``sql`` does the same in the database. Pure.

A condition matches or does not; there is no third result. A comparison with an unknown value does
not match, and ``not`` matches exactly what its part does not match.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from math import isnan
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from app.core.filters.parser import DAY_PATTERN
from app.core.filters.tree import And, Condition, Filter, Not, Op, Or

ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def matches(filter_: Filter, value_of: Callable[[str], object]) -> bool:
    """Whether a filter matches, given the value of each field. None and NaN are unknown."""
    match filter_:
        case And(parts):
            return all(matches(part, value_of) for part in parts)
        case Or(parts):
            return any(matches(part, value_of) for part in parts)
        case Not(part):
            return not matches(part, value_of)
        case Condition():
            return _condition_matches(filter_, value_of(filter_.field))


def fold_case(text: str) -> str:
    """Lower A to Z and no other letters, as the database does in its collation ``C``."""
    return text.translate(ASCII_LOWER)


def _condition_matches(condition: Condition, actual: object) -> bool:
    unknown = actual is None or (isinstance(actual, float) and isnan(actual))
    if condition.op is Op.IS_NULL:
        return unknown is condition.value
    return not unknown and COMPARISONS[condition.op](actual, condition.value)


def _contains(actual: Any, expected: Any) -> bool:  # noqa: ANN401 - a value of any type
    """Whether a text contains another, or a list contains it as an entry."""
    if isinstance(actual, list):
        return any(_compare(operator.eq, each, expected) for each in actual)
    return isinstance(actual, str) and fold_case(expected) in fold_case(actual)


def _starts_with(actual: Any, expected: Any) -> bool:  # noqa: ANN401 - a value of any type
    return isinstance(actual, str) and fold_case(actual).startswith(fold_case(expected))


def _is_in(actual: object, expected: Any) -> bool:  # noqa: ANN401 - values of any type
    return any(_compare(operator.eq, actual, each) for each in expected)


def _compare(compare: Callable[[Any, Any], bool], actual: object, expected: object) -> bool:
    """Compare only values of the same type: 1 is not true, and a text is never a number."""
    match expected:
        case date():
            day = _day(actual)
            return day is not None and compare(day, expected.isoformat())
        case bool():
            return isinstance(actual, bool) and compare(actual, expected)
        case str():
            return isinstance(actual, str) and compare(actual, expected)
        case int() | float():
            is_number = isinstance(actual, int | float) and not isinstance(actual, bool)
            return is_number and compare(actual, expected)
    raise TypeError("call resolve_relative_days before comparing with a relative day")


def _day(actual: object) -> str | None:
    """Return a day as a text, or the first 10 characters of a text that begins like a day."""
    if isinstance(actual, date):
        return (actual.date() if isinstance(actual, datetime) else actual).isoformat()
    return actual[:10] if isinstance(actual, str) and DAY_PATTERN.match(actual) else None


COMPARISONS: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: partial(_compare, operator.eq),
    Op.NE: lambda actual, expected: not _compare(operator.eq, actual, expected),
    Op.LT: partial(_compare, operator.lt),
    Op.LTE: partial(_compare, operator.le),
    Op.GT: partial(_compare, operator.gt),
    Op.GTE: partial(_compare, operator.ge),
    Op.IN: _is_in,
    Op.NOT_IN: lambda actual, expected: not _is_in(actual, expected),
    Op.CONTAINS: _contains,
    Op.STARTS_WITH: _starts_with,
}
