"""Turn a filter into an SQL condition with the same result as ``matching.matches``.

A comparison with an unknown value does not match. In SQL it is NULL, which
``and``, ``or`` and WHERE treat as false; ``not`` becomes IS NOT TRUE.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    Numeric,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.core.filters.matching import fold_case
from app.core.filters.tree import And, Condition, Filter, Not, Op, Or

Column = ColumnElement[Any]
SqlCondition = ColumnElement[bool]
Comparison = Callable[[Any, Any], Any]

COMPARISONS: Mapping[Op, Comparison] = {
    Op.LT: operator.lt,
    Op.LTE: operator.le,
    Op.GT: operator.gt,
    Op.GTE: operator.ge,
}
NEGATED_OPS: Mapping[Op, Op] = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN}
DAY_REGEX = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, slots=True)
class MultiValueField:
    """A field that may have several values; a condition matches if one of them does.

    ``exists_where`` returns whether there is a value for which a condition on ``value`` holds.
    """

    value: Column
    exists_where: Callable[[SqlCondition], SqlCondition]


def sql_condition(
    filter_: Filter, column_of: Callable[[str], Column | MultiValueField]
) -> SqlCondition:
    """Return a filter as SQL. A JSONB column may hold any type; others hold their column type."""
    match filter_:
        case And(parts):
            return and_(true(), *(sql_condition(part, column_of) for part in parts))
        case Or(parts):
            return or_(false(), *(sql_condition(part, column_of) for part in parts))
        case Not(part):
            return sql_condition(part, column_of).is_not(true())
        case Condition(field=field, op=op, value=value):
            column = column_of(field)
    if isinstance(column, MultiValueField):
        return _multi_value_condition(column, op, value)
    return (_json_condition if isinstance(column.type, JSONB) else _typed_condition)(
        column, op, value
    )


def _multi_value_condition(field: MultiValueField, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any type
    if op is Op.IS_NULL:
        return not_(field.exists_where(true())) if value else field.exists_where(true())
    if op in NEGATED_OPS:
        match_exists = field.exists_where(_typed_condition(field.value, NEGATED_OPS[op], value))
        return and_(field.exists_where(true()), not_(match_exists))
    return field.exists_where(_typed_condition(field.value, op, value))


def _typed_condition(column: Column, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any type
    match op:
        case Op.IS_NULL:
            return column.is_(None) if value else column.is_not(None)
        case Op.EQ:
            return column == bind_value(value, column)
        case Op.NE:
            return column != bind_value(value, column)
        case Op.IN:
            return or_(false(), *(column == bind_value(each, column) for each in value))
        case Op.NOT_IN:
            return and_(true(), *(column != bind_value(each, column) for each in value))
    return _text_condition(column, op, value)


def _text_condition(column: Column, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any type
    """Compare texts by code point, whatever the collation of the database is."""
    if op is Op.CONTAINS:
        return func.strpos(func.lower(column.collate("C")), fold_case(value)) > 0
    if op is Op.STARTS_WITH:
        return func.starts_with(func.lower(column.collate("C")), fold_case(value))
    ordered = column.collate("C") if isinstance(column.type, Text) else column
    condition: SqlCondition = COMPARISONS[op](ordered, bind_value(value, column))
    return condition


def bind_value(value: Any, column: Column) -> Column:  # noqa: ANN401 - a value of any type
    """Bind a value with a type that keeps its precision and lets the planner use indexes.

    A text column may hold days: they sort as texts.
    """
    match value:
        case bool():
            return true() if value else false()
        case int():
            return literal(value, BigInteger)
        case float():
            return literal(Decimal(repr(value)), Numeric)
        case date() if isinstance(column.type, Date):
            return literal(value, Date)
        case date():
            return literal(value.isoformat(), Text)
    return literal(value, Text)


def _json_condition(column: Column, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any type
    """Compare a JSONB value: only values of the type of the operand can match."""
    known = func.nullif(column, _json(None), type_=JSONB)
    match op:
        case Op.IS_NULL:
            return known.is_(None) if value else known.is_not(None)
        case Op.EQ | Op.IN:
            return _is_one_of(known, value)
        case Op.NE | Op.NOT_IN:
            return and_(known.is_not(None), _is_one_of(known, value).is_not(true()))
        case Op.CONTAINS:
            return or_(_text_condition(_text(known), op, value), _has_entry(known, value))
        case Op.STARTS_WITH:
            return _text_condition(_text(known), op, value)
    return _ordered(known, COMPARISONS[op], value)


def _is_one_of(known: Column, value: Any) -> SqlCondition:  # noqa: ANN401 - one value, or several
    values = value if isinstance(value, tuple) else (value,)
    return or_(false(), *(_equals(known, each) for each in values))


def _equals(known: Column, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any type
    if isinstance(value, date):
        return _day(known) == value.isoformat()
    return known == _json(value)


def _ordered(known: Column, compare: Comparison, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any type
    if isinstance(value, date):
        condition: SqlCondition = compare(_day(known), value.isoformat())
    elif isinstance(value, str):
        condition = compare(_text(known), value)
    else:
        condition = and_(func.jsonb_typeof(known) == "number", compare(known, _json(value)))
    return condition


def _has_entry(known: Column, value: str) -> SqlCondition:
    return and_(func.jsonb_typeof(known) == "array", known.op("@>")(_json([value])))


def _json(value: object) -> Column:
    return literal(orjson.dumps(value).decode(), Text).cast(JSONB)


def _text(known: Column) -> Column:
    """Return the value if it is a text, else NULL; ordered by code point."""
    text = known.op("#>>", return_type=Text())(cast([], ARRAY(Text)))
    return case((func.jsonb_typeof(known) == "string", text)).collate("C")


def _day(known: Column) -> Column:
    """Return the first 10 characters of a text that begins like a day, else NULL."""
    text = _text(known)
    return case((text.op("~")(DAY_REGEX), func.left(text, 10, type_=Text))).collate("C")
