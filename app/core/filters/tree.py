"""The syntax tree of a filter: conditions joined by and, or, not. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeAlias


class FieldType(StrEnum):
    """The type of a field's values."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DAY = "day"


class Op(StrEnum):
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_NULL = "is_null"


EXACT_OPS = {Op.EQ, Op.NE, Op.IN, Op.NOT_IN}


@dataclass(frozen=True, slots=True)
class DaysFromToday:
    """A day relative to today; negative is in the past."""

    days: int


Value: TypeAlias = str | int | float | bool | date | DaysFromToday


@dataclass(frozen=True, slots=True)
class Condition:
    """A field compared with ``value``: a tuple for in and not_in, a boolean for is_null."""

    field: str
    op: Op
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All parts must match; without parts it matches everything."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


Filter: TypeAlias = Condition | And | Or | Not

MATCH_ALL = And(())


def conditions_of(filter_: Filter) -> Iterator[Condition]:
    match filter_:
        case And(parts) | Or(parts):
            for part in parts:
                yield from conditions_of(part)
        case Not(part):
            yield from conditions_of(part)
        case Condition():
            yield filter_


def fields_of(filter_: Filter) -> set[str]:
    """Return the names of the fields that a filter uses."""
    return {condition.field for condition in conditions_of(filter_)}


def resolve_relative_days(filter_: Filter, today: date) -> Filter:
    """Replace days relative to today by fixed days."""
    return _with_values(filter_, lambda _, value: _resolved(value, today))


def exact_values(filter_: Filter, fields: Collection[str]) -> set[Any]:
    """Return the values with which fields are compared for equality (eq, ne, in, not_in)."""
    values = set[Any]()
    for each in conditions_of(filter_):
        if each.field in fields and each.op in EXACT_OPS:
            values |= set(each.value) if isinstance(each.value, tuple) else {each.value}
    return values


def replace_exact_values(
    filter_: Filter, fields: Collection[str], new_values: Mapping[Any, Any]
) -> Filter:
    """Replace ids with which fields are compared for equality; trim the other ids."""

    def replaced(condition: Condition, value: Value) -> Value:
        is_exact = condition.field in fields and condition.op in EXACT_OPS
        if not is_exact:
            return value
        new: Value = new_values.get(value, value.strip() if isinstance(value, str) else value)
        return new

    return _with_values(filter_, replaced)


def _with_values(filter_: Filter, value_for: Callable[[Condition, Any], Any]) -> Filter:
    match filter_:
        case And(parts) | Or(parts):
            return type(filter_)(tuple(_with_values(part, value_for) for part in parts))
        case Not(part):
            return Not(_with_values(part, value_for))
        case Condition(value=tuple() as values):
            return replace(filter_, value=tuple(value_for(filter_, value) for value in values))
        case Condition(value=value):
            return replace(filter_, value=value_for(filter_, value))


def _resolved(value: Any, today: date) -> Any:  # noqa: ANN401 - a value of any kind
    return today + timedelta(days=value.days) if isinstance(value, DaysFromToday) else value
