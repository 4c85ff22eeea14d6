"""The types of messages, and the fields that an endpoint's filter can test. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from app.core.filters.parser import parse_filter
from app.core.filters.tree import MATCH_ALL, FieldType, Filter

TEST_MESSAGE_TYPE = "endpoint.test"
MessageType = Literal[
    "alert.opened",
    "alert.acknowledged",
    "alert.resolved",
    "alert.digested",
    "data.stopped",
    "data.resumed",
    "suggestion.created",
    "suggestion.digested",
    "intervention.completed",
    "feedback.resolved",
    "import.completed",
    "model.activated",
    "model.degraded",
    "scorecard.activated",
    "owner.digested",
    "endpoint.failing",
    "endpoint.disabled",
    "endpoint.test",
]
"""The payload of each type is in ``message_schemas``, which is loaded only where it is needed."""
MAX_DIGEST_ITEMS = 10

LANGUAGE = "MessageFilter"
FIELDS: Mapping[str, FieldType] = {
    **dict.fromkeys(("account_id", "name", "segment", "owner", "plan", "industry"), FieldType.TEXT),
    **dict.fromkeys(("employees", "end_customers"), FieldType.NUMBER),
    "started_on": FieldType.DAY,
    "parent_id": FieldType.TEXT,
    "excluded": FieldType.BOOLEAN,
}
"""Fields of the account; ``OPEN_PREFIXES`` lead to its traits and to the data of the message."""
ACCOUNT_ID_FIELDS = ("account_id", "parent_id", "data.account_id")
"""Fields whose values are account ids."""
OPEN_PREFIXES = ("traits.", "data.")


def parse_message_filter(raw: object) -> Filter:
    """Parse an endpoint's filter; relative days are allowed. Raise FilterError."""
    if raw == {}:
        return MATCH_ALL
    return parse_filter(raw, FIELDS, open_prefixes=OPEN_PREFIXES, choices={}, relative_days=True)


def field_getter(account: Mapping[str, Any], data: Mapping[str, Any]) -> Callable[[str], object]:
    """Return a function that maps a field name to its value in one message and its account."""

    def value_of(field: str) -> object:
        prefix, dot, name = field.partition(".")
        if not dot:
            return account.get(field)
        if prefix == "data":
            return _nested_value(data, name)
        return account.get("traits", {}).get(name)

    return value_of


def _nested_value(data: Mapping[str, Any], path: str) -> object:
    """Return the value at a dotted path such as ``rule.id``, or None."""
    first, dot, rest = path.partition(".")
    value = data.get(first)
    if not dot:
        return value
    return _nested_value(value, rest) if isinstance(value, Mapping) else None
