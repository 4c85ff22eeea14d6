"""What a filter is made of once it has been read: conditions, and how they are joined. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeAlias


class Kind(StrEnum):
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
class All:
    """Of nothing, it lets everything through."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - Any is taken
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


Filter: TypeAlias = Condition | All | Any_ | Not

EVERYTHING = All(())


def conditions_of(wanted: Filter) -> Iterator[Condition]:
    match wanted:
        case All(parts) | Any_(parts):
            for part in parts:
                yield from conditions_of(part)
        case Not(part):
            yield from conditions_of(part)
        case Condition():
            yield wanted


def fields_of(wanted: Filter) -> set[str]:
    return {condition.field for condition in conditions_of(wanted)}


def fix_days(wanted: Filter, today: date) -> Filter:
    """Put days in the place of those that move."""
    match wanted:
        case All(parts):
            return All(tuple(fix_days(part, today) for part in parts))
        case Any_(parts):
            return Any_(tuple(fix_days(part, today) for part in parts))
        case Not(part):
            return Not(fix_days(part, today))
        case Condition(value=tuple() as values):
            return replace(wanted, value=tuple(_fixed(value, today) for value in values))
        case Condition(value=value):
            return replace(wanted, value=_fixed(value, today))


def _fixed(value: Any, today: date) -> Any:  # noqa: ANN401 - a value of any kind
    return today + timedelta(days=value.days) if isinstance(value, DaysFromToday) else value
