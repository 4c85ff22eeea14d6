"""Parse filters from JSON; report what is wrong and where. Pure."""

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
from app.core.json_pointer import pointer_part

MAX_DEPTH, MAX_CONDITIONS, MAX_VALUES, MAX_TEXT_LENGTH = 8, 100, 1000, 1000
MAX_NUMBER = 2**53
MAX_DAYS = 36_500

DAY_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

LIST_OPS = frozenset({Op.IN, Op.NOT_IN})
SUBSTRING_OPS = frozenset({Op.CONTAINS, Op.STARTS_WITH})
ORDER_OPS = frozenset({Op.LT, Op.LTE, Op.GT, Op.GTE})


class FilterError(ValueError):
    """The filter is invalid. ``pointer`` is a JSON pointer into the filter."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def parse_filter(
    raw: object,
    fields: Mapping[str, FieldType],
    *,
    open_prefixes: Collection[str] = ("traits.",),
    choices: Mapping[str, Collection[str]] | None = None,
    relative_days: bool = False,
) -> Filter:
    """Parse a filter or raise FilterError.

    ``fields``: types by name; a name that ends in ``.*`` allows every name with that prefix.
    ``open_prefixes``: prefixes of fields that may hold values of any type. ``choices``: the allowed
    texts of a field. ``relative_days``: whether ``{"days_ago": 30}`` is allowed as a day; call
    ``resolve_relative_days`` before such a filter is used.
    """
    parser = _Parser(fields, tuple(open_prefixes), choices or {}, relative_days=relative_days)
    return parser.parse(raw, "", 1)


@dataclass(slots=True)
class _Parser:
    """Parses one filter and counts its conditions and values."""

    fields: Mapping[str, FieldType]
    open_prefixes: tuple[str, ...]
    choices: Mapping[str, Collection[str]]
    relative_days: bool
    conditions: int = 0
    values: int = 0

    def parse(self, raw: object, at: str, depth: int) -> Filter:
        if not isinstance(raw, dict):
            raise FilterError(at, 'A filter must be an object, such as {"segment": "smb"}.')
        if depth > MAX_DEPTH:
            raise FilterError(at, f"A filter may have at most {MAX_DEPTH} levels.")
        if "field" in raw:
            return self._condition(raw, at)
        operator = next((name for name in ("and", "or", "not") if name in raw), None)
        if operator is None:
            return self._shorthand(raw, at)
        if len(raw) > 1:
            raise FilterError(at, f'"{operator}" must be the only key of its object.')
        inside = f"{at}/{operator}"
        if operator == "not":
            return Not(self.parse(raw["not"], inside, depth + 1))
        parts = raw[operator]
        if not isinstance(parts, list) or not 0 < len(parts) <= MAX_CONDITIONS:
            raise FilterError(
                inside, f'"{operator}" must be a list of 1 to {MAX_CONDITIONS} conditions.'
            )
        parsed = tuple(self.parse(part, f"{inside}/{i}", depth + 1) for i, part in enumerate(parts))
        return And(parsed) if operator == "and" else Or(parsed)

    def _shorthand(self, raw: Mapping[Any, object], at: str) -> Filter:
        """Parse the short form ``{"segment": "smb", "band": ["at_risk"], "owner": null}``."""
        parts = []
        for name, value in raw.items():
            inside = f"{at}/{pointer_part(name)}"
            field = self._field(name, inside)
            op = Op.IS_NULL if value is None else Op.IN if isinstance(value, list) else Op.EQ
            operand = True if value is None else value
            parts.append(self._checked(field, op, operand, inside, inside))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _condition(self, raw: Mapping[Any, object], at: str) -> Condition:
        unknown = raw.keys() - {"field", "op", "value"}
        if unknown:
            inside = f"{at}/{pointer_part(min(map(str, unknown)))}"
            raise FilterError(inside, "Unknown key: a condition has the keys field, op and value.")
        field = self._field(raw["field"], f"{at}/field")
        if "value" not in raw:
            raise FilterError(at, 'The condition has no value: add the key "value".')
        if raw.get("op", "eq") not in list(Op):
            raise FilterError(f"{at}/op", f"The op must be one of {', '.join(Op)}.")
        op = Op(str(raw.get("op", "eq")))
        return self._checked(field, op, raw["value"], f"{at}/value", f"{at}/op")

    def _field(self, name: object, at: str) -> str:
        if not isinstance(name, str) or len(name) > MAX_TEXT_LENGTH:
            raise FilterError(
                at,
                f"A field must be a name of at most {MAX_TEXT_LENGTH} characters, such as segment.",
            )
        prefixes = (*self.open_prefixes, *(key[:-1] for key in self.fields if key.endswith(".*")))
        has_prefix = any(name.startswith(prefix) and name != prefix for prefix in prefixes)
        if _storable(name) and (has_prefix or (name in self.fields and not name.endswith(".*"))):
            return name
        [*close] = get_close_matches(name, self.fields, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise FilterError(at, f"Unknown field.{hint}")

    def _type(self, field: str) -> FieldType | None:
        """Return the type of a field; None if it may hold any."""
        if field in self.fields:
            return self.fields[field]
        patterns = (key for key in self.fields if key.endswith(".*") and field.startswith(key[:-1]))
        return next((self.fields[key] for key in patterns), None)

    def _checked(self, field: str, op: Op, value: Any, at: str, op_at: str) -> Condition:  # noqa: ANN401
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise FilterError(at, f"A filter may have at most {MAX_CONDITIONS} conditions.")
        type_ = self._type(field)
        if op is Op.IS_NULL:
            if not isinstance(value, bool):
                raise FilterError(at, "The value of is_null must be true or false.")
            return Condition(field, op, value)
        if op in SUBSTRING_OPS | ORDER_OPS and field in self.choices:
            raise FilterError(op_at, f"{op} cannot be used with {field}: use eq, ne, in or not_in.")
        if op in SUBSTRING_OPS and type_ not in {FieldType.TEXT, None}:
            raise FilterError(op_at, f"{op} needs a text field, and {field} is a {type_}.")
        if op in ORDER_OPS and (type_ is FieldType.BOOLEAN or isinstance(value, bool)):
            raise FilterError(op_at, f"{op} cannot be used with true and false.")
        if op not in LIST_OPS:
            value_type = FieldType.TEXT if op in SUBSTRING_OPS else type_
            return Condition(field, op, self._value(value_type, field, value, at))
        if not isinstance(value, list) or not value:
            raise FilterError(at, f"The value of {op} must be a list of at least one value.")
        values = (self._value(type_, field, each, f"{at}/{i}") for i, each in enumerate(value))
        return Condition(field, op, tuple(values))

    def _value(self, type_: FieldType | None, field: str, value: Any, at: str) -> Value:  # noqa: ANN401
        self.values += 1
        if self.values > MAX_VALUES:
            raise FilterError(at, f"A filter may have at most {MAX_VALUES} values.")
        parsed = _parse_value(type_, value, at)
        if isinstance(parsed, DaysFromToday) and not self.relative_days:
            raise FilterError(at, "Relative days are not allowed here: use YYYY-MM-DD.")
        if field in self.choices and parsed not in self.choices[field]:
            raise FilterError(at, f"{field} must be one of {', '.join(self.choices[field])}.")
        return parsed


def _parse_value(type_: FieldType | None, value: Any, at: str) -> Value:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict) and type_ in {FieldType.DAY, None}:
        return _parse_relative_day(value, at)
    match type_, value:
        case (FieldType.BOOLEAN | None, bool()):
            return value
        case (FieldType.NUMBER | None, int() | float()) if not isinstance(value, bool):
            return _check_number(value, at)
        case (FieldType.TEXT | None, str()):
            return _check_text(value, at)
        case (FieldType.DAY, str()):
            return _parse_day(value, at)
    expected = f"a {type_}" if type_ else "a text, a number, true or false"
    raise FilterError(at, f"The value must be {expected}.")


def _check_number(value: float, at: str) -> float:
    if not abs(value) <= MAX_NUMBER:  # False for NaN too
        raise FilterError(at, "The value must be a number from -2^53 to 2^53.")
    return value


def _check_text(value: str, at: str) -> str:
    if len(value) > MAX_TEXT_LENGTH or not _storable(value):
        raise FilterError(at, f"A text may have at most {MAX_TEXT_LENGTH} characters and no NUL.")
    return value


def _parse_day(value: str, at: str) -> date:
    try:
        return date.fromisoformat(value if DAY_PATTERN.fullmatch(value) else "")
    except ValueError:
        raise FilterError(at, "Must be a day in the form YYYY-MM-DD.") from None


def _parse_relative_day(value: Mapping[Any, Any], at: str) -> DaysFromToday:
    """Parse ``{"days_ago": 30}`` or ``days_ahead``; 30.0 counts as 30."""
    for name, sign in (("days_ago", -1), ("days_ahead", 1)):
        days = value.get(name) if len(value) == 1 else None
        if not isinstance(days, int | float) or isinstance(days, bool):
            continue
        if 0 <= days <= MAX_DAYS and days == int(days):
            return DaysFromToday(sign * int(days))
    raise FilterError(
        at,
        f'A relative day must be {{"days_ago": N}} or {{"days_ahead": N}}, N from 0 to {MAX_DAYS}.',
    )


def _storable(text: str) -> bool:
    """Whether PostgreSQL can store a text: not NUL, not half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
