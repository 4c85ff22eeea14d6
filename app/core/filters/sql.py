"""A filter as a condition of SQL, with the same meaning as ``filters.matches``.

Unknown counts as "does not hold". SQL's ``and``, ``or`` and WHERE treat it so; ``not`` is told to.
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
    """A field that may have several values: it is enough that one of them fits.

    ``there_is`` says whether there is a value for which a test of ``value`` holds.
    """

    value: Column
    exists_where: Callable[[SqlCondition], SqlCondition]


def sql_condition(
    wanted: Filter, column_of: Callable[[str], Column | MultiValueField]
) -> SqlCondition:
    """Say it in SQL. A column of type JSONB may hold anything, others what their type says."""
    match wanted:
        case And(parts):
            return and_(true(), *(sql_condition(part, column_of) for part in parts))
        case Or(parts):
            return or_(false(), *(sql_condition(part, column_of) for part in parts))
        case Not(part):
            return sql_condition(part, column_of).is_not(true())
        case Condition(field=field, op=op, value=value):
            column = column_of(field)
    if isinstance(column, MultiValueField):
        return _one_fits(column, op, value)
    return (_open if isinstance(column.type, JSONB) else _typed)(column, op, value)


def _one_fits(field: MultiValueField, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any kind
    if op is Op.IS_NULL:
        return not_(field.exists_where(true())) if value else field.exists_where(true())
    if op in NEGATED_OPS:
        fits = field.exists_where(_typed(field.value, NEGATED_OPS[op], value))
        return and_(field.exists_where(true()), not_(fits))
    return field.exists_where(_typed(field.value, op, value))


def _typed(column: Column, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any kind
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
    return _of_text(column, op, value)


def _of_text(column: Column, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any kind
    """Texts are ordered by their code points, whatever the language of the database is."""
    if op is Op.CONTAINS:
        return func.strpos(func.lower(column.collate("C")), fold_case(value)) > 0
    if op is Op.STARTS_WITH:
        return func.starts_with(func.lower(column.collate("C")), fold_case(value))
    by_code = column.collate("C") if isinstance(column.type, Text) else column
    found: SqlCondition = COMPARISONS[op](by_code, bind_value(value, column))
    return found


def bind_value(value: Any, column: Column) -> Column:  # noqa: ANN401 - a value of any kind
    """Bind a value with the type that loses nothing of it and keeps indexes of use.

    A column of texts may hold days: those sort as their texts do.
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


def _open(column: Column, op: Op, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any kind
    """Compare what may hold anything: only values of the kind that is asked for can hold."""
    known = func.nullif(column, _json(None), type_=JSONB)
    match op:
        case Op.IS_NULL:
            return known.is_(None) if value else known.is_not(None)
        case Op.EQ | Op.IN:
            return _is_one_of(known, value)
        case Op.NE | Op.NOT_IN:
            return and_(known.is_not(None), _is_one_of(known, value).is_not(true()))
        case Op.CONTAINS:
            return or_(_of_text(_text(known), op, value), _has_entry(known, value))
        case Op.STARTS_WITH:
            return _of_text(_text(known), op, value)
    return _ordered(known, COMPARISONS[op], value)


def _is_one_of(known: Column, value: Any) -> SqlCondition:  # noqa: ANN401 - one value, or several
    asked = value if isinstance(value, tuple) else (value,)
    return or_(false(), *(_alike(known, each) for each in asked))


def _alike(known: Column, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any kind
    if isinstance(value, date):
        return _day(known) == value.isoformat()
    return known == _json(value)


def _ordered(known: Column, order: Comparison, value: Any) -> SqlCondition:  # noqa: ANN401 - a value of any kind
    if isinstance(value, date):
        found: SqlCondition = order(_day(known), value.isoformat())
    elif isinstance(value, str):
        found = order(_text(known), value)
    else:
        found = and_(func.jsonb_typeof(known) == "number", order(known, _json(value)))
    return found


def _has_entry(known: Column, value: str) -> SqlCondition:
    return and_(func.jsonb_typeof(known) == "array", known.op("@>")(_json([value])))


def _json(value: object) -> Column:
    return literal(orjson.dumps(value).decode(), Text).cast(JSONB)


def _text(known: Column) -> Column:
    """Take texts only, in the order of their code points."""
    text = known.op("#>>", return_type=Text())(cast([], ARRAY(Text)))
    return case((func.jsonb_typeof(known) == "string", text)).collate("C")


def _day(known: Column) -> Column:
    """Take the head of texts that have the shape of a day: those sort as days do."""
    text = _text(known)
    return case((text.op("~")(DAY_REGEX), func.left(text, 10, type_=Text))).collate("C")
