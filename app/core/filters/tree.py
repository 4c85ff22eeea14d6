"""What a filter is made of once it has been read: conditions, and how they are joined. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeAlias


class FieldType(StrEnum):
    """What the values of a field are."""

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
    """A day that moves; negative lies behind."""

    days: int


Value: TypeAlias = str | int | float | bool | date | DaysFromToday


@dataclass(frozen=True, slots=True)
class Condition:
    """``value`` is a tuple for ``in`` and ``not_in``, and a truth value for ``is_null``."""

    field: str
    op: Op
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class And:
    """Of nothing, it lets everything through."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:  # noqa: N801 - Any is taken
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


Filter: TypeAlias = Condition | And | Or | Not

MATCH_ALL = And(())


def conditions_of(wanted: Filter) -> Iterator[Condition]:
    match wanted:
        case And(parts) | Or(parts):
            for part in parts:
                yield from conditions_of(part)
        case Not(part):
            yield from conditions_of(part)
        case Condition():
            yield wanted


def fields_of(wanted: Filter) -> set[str]:
    return {condition.field for condition in conditions_of(wanted)}


def resolve_relative_days(wanted: Filter, today: date) -> Filter:
    """Put days in the place of those that move."""
    return _with_values(wanted, lambda _, value: _fixed(value, today))


def exact_values(wanted: Filter, fields: Collection[str]) -> set[Any]:
    """Return what some fields are compared with as a whole, and not in parts or by size."""
    found = set[Any]()
    for each in conditions_of(wanted):
        if each.field in fields and each.op in EXACT_OPS:
            found |= set(each.value) if isinstance(each.value, tuple) else {each.value}
    return found


def replace_exact_values(
    wanted: Filter, fields: Collection[str], names: Mapping[Any, Any]
) -> Filter:
    """Put other names for those that fields are compared with as a whole."""

    def name(condition: Condition, value: Value) -> Value:
        is_named = condition.field in fields and condition.op in EXACT_OPS
        return names.get(value, value) if is_named else value

    return _with_values(wanted, name)


def _with_values(wanted: Filter, value_for: Callable[[Condition, Any], Any]) -> Filter:
    match wanted:
        case And(parts):
            return And(tuple(_with_values(part, value_for) for part in parts))
        case Or(parts):
            return Or(tuple(_with_values(part, value_for) for part in parts))
        case Not(part):
            return Not(_with_values(part, value_for))
        case Condition(value=tuple() as values):
            return replace(wanted, value=tuple(value_for(wanted, value) for value in values))
        case Condition(value=value):
            return replace(wanted, value=value_for(wanted, value))


def _fixed(value: Any, today: date) -> Any:  # noqa: ANN401 - a value of any kind
    return today + timedelta(days=value.days) if isinstance(value, DaysFromToday) else value
