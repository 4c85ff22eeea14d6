"""The fields that an endpoint's filter can test: of the account and of the message. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from app.core.filters.tree import FieldType

LANGUAGE = "MessageFilter"
FIELDS: Mapping[str, FieldType] = {
    "account_id": FieldType.TEXT,
    "name": FieldType.TEXT,
    "segment": FieldType.TEXT,
    "owner": FieldType.TEXT,
    "plan": FieldType.TEXT,
    "industry": FieldType.TEXT,
    "employees": FieldType.NUMBER,
    "end_customers": FieldType.NUMBER,
    "started_on": FieldType.DAY,
    "parent_id": FieldType.TEXT,
    "excluded": FieldType.BOOLEAN,
}
ACCOUNT_ID_FIELDS = ("account_id", "parent_id", "data.account_id")
"""Fields whose values are account ids."""
OPEN_PREFIXES = ("traits.", "data.")


def field_getter(account: Mapping[str, Any], data: Mapping[str, Any]) -> Callable[[str], object]:
    """Return a function that maps a field name to its value in one message and its account."""

    def value_of(field: str) -> object:
        prefix, dot, name = field.partition(".")
        if not dot:
            return account.get(field)
        return (
            _nested_value(data, name) if prefix == "data" else account.get("traits", {}).get(name)
        )

    return value_of


def _nested_value(data: Mapping[str, Any], path: str) -> object:
    """Return the value at a dotted path such as ``rule.id``, or None."""
    first, dot, rest = path.partition(".")
    value = data.get(first)
    if not dot:
        return value
    return _nested_value(value, rest) if isinstance(value, Mapping) else None
