"""What messages about accounts can be filtered by: the account, and what the message says. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from app.core.filters.matching import FieldType

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
"""Fields that name accounts."""
OPEN_PREFIXES = ("traits.", "data.")


def field_getter(account: Mapping[str, Any], data: Mapping[str, Any]) -> Callable[[str], object]:
    """Make the function that tells a field of one message and its account."""

    def value_of(field: str) -> object:
        first, dot, name = field.partition(".")
        if not dot:
            return account.get(field)
        return _inside(data, name) if first == "data" else account.get("traits", {}).get(name)

    return value_of


def _inside(data: Mapping[str, Any], name: str) -> object:
    """Return what a message says under a name; a dot leads into an object, as in ``rule.id``."""
    first, dot, rest = name.partition(".")
    found = data.get(first)
    if not dot:
        return found
    return _inside(found, rest) if isinstance(found, Mapping) else None
