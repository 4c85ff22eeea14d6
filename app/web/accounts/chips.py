"""The parts of a filter of accounts: shown as chips, added by a form, removed by a link. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.core.filters.tree import FieldType, Op
from app.portfolio.fields import CHOICES, FIELDS

OFFERED_FIELDS = (
    *("owner", "segment", "plan", "band", "churn_risk.level", "score", "trend.d28", "mrr_cents"),
    *("churn_risk.revenue_at_risk_cents", "value_leak_cents", "renewal_on", "notice_on"),
    *("last_used_on", "status"),
)
OFFERED_OPS = (Op.EQ, Op.NE, Op.GTE, Op.LTE, Op.CONTAINS, Op.IS_NULL)
RELATIVE_DAY = re.compile(r"([+-])(\d{1,5})")
Condition = Mapping[str, Any]


class ConditionError(ValueError):
    """The value does not fit the field. The text is the name of a message."""


def conditions_of(raw: object) -> list[Condition]:
    """Return the parts of a filter that all must match."""
    if not isinstance(raw, dict):
        return []
    if isinstance(raw.get("and"), list):
        return [part for part in raw["and"] if isinstance(part, dict)]
    if raw.keys() & {"field", "or", "not"}:
        return [raw]
    return [{name: value} for name, value in raw.items()]


def joined(conditions: Sequence[Condition]) -> str:
    """Return the filter of conditions as JSON text; no condition is the empty text."""
    if not conditions:
        return ""
    whole = conditions[0] if len(conditions) == 1 else {"and": list(conditions)}
    return orjson.dumps(whole).decode()


def parts_of(condition: Condition) -> tuple[str, str, Any] | None:
    """Return field, operator and value of a simple condition; None for any other."""
    if isinstance(condition.get("field"), str):
        return condition["field"], str(condition.get("op", "eq")), condition.get("value")
    if len(condition) == 1 and not condition.keys() & {"and", "or", "not"}:
        [(field, value)] = condition.items()
        if value is None:
            return field, "is_null", True
        return field, "in" if isinstance(value, list) else "eq", value
    return None


def build_condition(field: str, op: str, text: str) -> Condition:
    """Make a condition of what a person wrote; raise ConditionError if it does not fit.

    Money is written in units of the currency, a day also as ``+60`` or ``-30`` days from today.
    """
    if field not in FIELDS or op not in OFFERED_OPS:
        raise ConditionError("invalid_field")
    if op == Op.IS_NULL:
        return {"field": field, "op": op, "value": True}
    if not text.strip():
        raise ConditionError("invalid_value")
    return {"field": field, "op": op, "value": _value(field, text.strip())}


def _value(field: str, text: str) -> Any:  # noqa: ANN401 - by the type of the field
    match FIELDS[field]:
        case FieldType.NUMBER:
            return _number(field, text)
        case FieldType.DAY:
            return _day(text)
        case FieldType.BOOLEAN:
            return text.lower() in {"true", "yes", "1"}
    if field in CHOICES and text not in CHOICES[field]:
        raise ConditionError("invalid_choice")
    return text


def _number(field: str, text: str) -> float:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        raise ConditionError("invalid_number") from None
    return round(number * 100) if field.endswith("_cents") else number


def _day(text: str) -> Any:  # noqa: ANN401 - a day, or one relative to today
    if relative := RELATIVE_DAY.fullmatch(text):
        return {"days_ahead" if relative[1] == "+" else "days_ago": int(relative[2])}
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ConditionError("invalid_day")
    return text
