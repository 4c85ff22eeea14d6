"""Reads filters, and says of one that cannot be read what is wrong and where. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

from app.core.filters.tree import (
    And,
    Condition,
    DaysFromToday,
    FieldType,
    Filter,
    Not,
    Op,
    Or,
    Value,
)

MAX_DEPTH, MAX_CONDITIONS, MAX_VALUES, MAX_TEXT_LENGTH = 8, 100, 1000, 1000
MAX_NUMBER = 2**53
MAX_DAYS = 36_500

DAY_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

LIST_OPS = frozenset({Op.IN, Op.NOT_IN})
SUBSTRING_OPS = frozenset({Op.CONTAINS, Op.STARTS_WITH})
ORDER_OPS = frozenset({Op.LT, Op.LTE, Op.GT, Op.GTE})


class FilterError(ValueError):
    """What is wrong with a filter, in one sentence; ``pointer``: where inside the filter."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def parse_filter(
    raw: object,
    fields: Mapping[str, FieldType],
    *,
    open_prefixes: Collection[str] = ("traits.",),
    choices: Mapping[str, Collection[str]] | None = None,
    moving_days: bool = False,
) -> Filter:
    """Read a filter, or raise FilterError.

    ``fields``: by name; a name that ends in ``.*`` stands for all that begin so. What begins with
    one of ``open_prefixes`` may hold anything. ``choices``: the only texts a field can have.
    ``moving_days``: whether ``{"days_ago": 30}`` is a day; fix it with ``fix_days`` before use.
    """
    reader = _Reader(fields, tuple(open_prefixes), choices or {}, moving_days=moving_days)
    return reader.read(raw, "", 1)


@dataclass(slots=True)
class _Reader:
    """Reads one filter, and counts what it is made of."""

    fields: Mapping[str, FieldType]
    open_prefixes: tuple[str, ...]
    choices: Mapping[str, Collection[str]]
    moving_days: bool
    conditions: int = 0
    values: int = 0

    def read(self, raw: object, at: str, depth: int) -> Filter:
        if not isinstance(raw, dict):
            raise FilterError(at, 'An object is wanted, such as {"segment": "smb"}.')
        if depth > MAX_DEPTH:
            raise FilterError(at, f"A filter has at most {MAX_DEPTH} levels.")
        if "field" in raw:
            return self._condition(raw, at)
        joint = next((name for name in ("and", "or", "not") if name in raw), None)
        if joint is None:
            return self._shorthand(raw, at)
        if len(raw) > 1:
            raise FilterError(at, f'Nothing stands beside "{joint}".')
        inside = f"{at}/{joint}"
        if joint == "not":
            return Not(self.read(raw["not"], inside, depth + 1))
        parts = raw[joint]
        if not isinstance(parts, list) or not 0 < len(parts) <= MAX_CONDITIONS:
            raise FilterError(inside, f"A list of 1 to {MAX_CONDITIONS} conditions is wanted.")
        read = tuple(self.read(part, f"{inside}/{i}", depth + 1) for i, part in enumerate(parts))
        return And(read) if joint == "and" else Or(read)

    def _shorthand(self, raw: Mapping[Any, object], at: str) -> Filter:
        """``{"segment": "smb", "band": ["at_risk", "watch"], "owner": null}``: all of it holds."""
        parts = []
        for name, value in raw.items():
            inside = f"{at}/{_escaped(name)}"
            field = self._field(name, inside)
            op = Op.IS_NULL if value is None else Op.IN if isinstance(value, list) else Op.EQ
            asked = True if value is None else value
            parts.append(self._checked(field, op, asked, inside, inside))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _condition(self, raw: Mapping[Any, object], at: str) -> Condition:
        unknown = raw.keys() - {"field", "op", "value"}
        if unknown:
            inside = f"{at}/{_escaped(min(map(str, unknown)))}"
            raise FilterError(inside, "A condition has a field, an op and a value.")
        field = self._field(raw["field"], f"{at}/field")
        if "value" not in raw:
            raise FilterError(at, "The value is missing.")
        if raw.get("op", "eq") not in list(Op):
            raise FilterError(f"{at}/op", f"An op is one of {', '.join(Op)}.")
        op = Op(str(raw.get("op", "eq")))
        return self._checked(field, op, raw["value"], f"{at}/value", f"{at}/op")

    def _field(self, name: object, at: str) -> str:
        if not isinstance(name, str) or len(name) > MAX_TEXT_LENGTH:
            raise FilterError(at, "The name of a field is wanted.")
        starts = (*self.open_prefixes, *(key[:-1] for key in self.fields if key.endswith(".*")))
        is_inside = any(name.startswith(start) and name != start for start in starts)
        if _storable(name) and (is_inside or (name in self.fields and not name.endswith(".*"))):
            return name
        [*close] = get_close_matches(name, self.fields, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise FilterError(at, f"There is no such field.{hint}")

    def _kind(self, field: str) -> FieldType | None:
        """What a field holds; None: anything."""
        if field in self.fields:
            return self.fields[field]
        stars = (key for key in self.fields if key.endswith(".*") and field.startswith(key[:-1]))
        return next((self.fields[key] for key in stars), None)

    def _checked(self, field: str, op: Op, value: Any, at: str, op_at: str) -> Condition:  # noqa: ANN401
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise FilterError(at, f"A filter has at most {MAX_CONDITIONS} conditions.")
        kind = self._kind(field)
        if op is Op.IS_NULL:
            if not isinstance(value, bool):
                raise FilterError(at, "The value of is_null is true or false.")
            return Condition(field, op, value)
        if op in SUBSTRING_OPS | ORDER_OPS and field in self.choices:
            raise FilterError(op_at, f"{op} is not for {field}, which is one of a few words.")
        if op in SUBSTRING_OPS and kind not in {FieldType.TEXT, None}:
            raise FilterError(op_at, f"{op} is for texts, and {field} holds a {kind}.")
        if op in ORDER_OPS and (kind is FieldType.BOOLEAN or isinstance(value, bool)):
            raise FilterError(op_at, f"{op} is not for true and false.")
        if op not in LIST_OPS:
            return Condition(
                field,
                op,
                self._value(FieldType.TEXT if op in SUBSTRING_OPS else kind, field, value, at),
            )
        if not isinstance(value, list) or not value:
            raise FilterError(at, f"The value of {op} is a list of one or more values.")
        read = (self._value(kind, field, each, f"{at}/{i}") for i, each in enumerate(value))
        return Condition(field, op, tuple(read))

    def _value(self, kind: FieldType | None, field: str, value: Any, at: str) -> Value:  # noqa: ANN401
        self.values += 1
        if self.values > MAX_VALUES:
            raise FilterError(at, f"A filter has at most {MAX_VALUES} values.")
        read = _read(kind, value, at)
        if isinstance(read, DaysFromToday) and not self.moving_days:
            raise FilterError(at, "A day is wanted here: YYYY-MM-DD.")
        if field in self.choices and read not in self.choices[field]:
            raise FilterError(at, f"{field} is one of {', '.join(self.choices[field])}.")
        return read


def _read(kind: FieldType | None, value: Any, at: str) -> Value:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict) and kind in {FieldType.DAY, None}:
        return _moving_day(value, at)
    match kind, value:
        case (FieldType.BOOLEAN | None, bool()):
            return value
        case (FieldType.NUMBER | None, int() | float()) if not isinstance(value, bool):
            return _number(value, at)
        case (FieldType.TEXT | None, str()):
            return _text(value, at)
        case (FieldType.DAY, str()):
            return _date(value, at)
    wanted = f"a {kind}" if kind else "a text, a number, or true or false"
    raise FilterError(at, f"The value is to be {wanted}.")


def _number(value: float, at: str) -> float:
    if not abs(value) <= MAX_NUMBER:  # nan neither
        raise FilterError(at, "A finite number of at most 2^53 is wanted.")
    return value


def _text(value: str, at: str) -> str:
    if len(value) > MAX_TEXT_LENGTH or not _storable(value):
        raise FilterError(at, f"A text has at most {MAX_TEXT_LENGTH} characters, and no NUL.")
    return value


def _date(value: str, at: str) -> date:
    try:
        return date.fromisoformat(value if DAY_PATTERN.fullmatch(value) else "")
    except ValueError:
        raise FilterError(at, "A day is wanted: YYYY-MM-DD.") from None


def _moving_day(value: Mapping[Any, Any], at: str) -> DaysFromToday:
    """Read ``{"days_ago": 30}``; 30.0 is 30, as JSON has it."""
    for name, sign in (("days_ago", -1), ("days_ahead", 1)):
        days = value.get(name) if len(value) == 1 else None
        if not isinstance(days, int | float) or isinstance(days, bool):
            continue
        if 0 <= days <= MAX_DAYS and days == int(days):
            return DaysFromToday(sign * int(days))
    raise FilterError(at, f'A moving day is {{"days_ago": 0 to {MAX_DAYS}}} or days_ahead.')


def _storable(text: str) -> bool:
    """PostgreSQL has no place for NUL and for halves of surrogate pairs."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
