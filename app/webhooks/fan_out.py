"""Decide which endpoints get which messages, and create the deliveries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
from sqlalchemy.orm import Session

from app.core.filters.matching import matches
from app.core.filters.parser import parse_filter
from app.core.filters.tree import (
    MATCH_ALL,
    Filter,
    exact_values,
    replace_exact_values,
    resolve_relative_days,
)
from app.webhooks import queries
from app.webhooks.message_fields import ACCOUNT_ID_FIELDS, FIELDS, OPEN_PREFIXES, field_getter
from app.webhooks.tables import Message, WebhookEndpoint

TEST_MESSAGE_TYPE = "endpoint.test"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A stored message as filters see it. ``full_data`` includes the personal fields."""

    id: str
    type: str
    account_id: str | None
    data: Mapping[str, Any]
    full_data: Mapping[str, Any]

    @classmethod
    def from_row(cls, message: Message) -> Self:
        data = orjson.loads(message.body)["data"]
        personal = message.personal_body
        full_data = data if personal is None else orjson.loads(personal)["data"]
        return cls(message.id, message.type, message.account_id, data, full_data)

    def data_for(self, endpoint: WebhookEndpoint) -> Mapping[str, Any]:
        """Return the data that the endpoint would receive."""
        return self.full_data if endpoint.personal_data else self.data


def parse_message_filter(raw: object) -> Filter:
    """Parse an endpoint's filter; relative days are allowed. Raise FilterError."""
    if raw == {}:
        return MATCH_ALL
    return parse_filter(raw, FIELDS, open_prefixes=OPEN_PREFIXES, choices={}, relative_days=True)


def fan_out(
    session: Session,
    workspace_id: str,
    messages: Sequence[OutgoingMessage],
    endpoints: Sequence[WebhookEndpoint],
    *,
    again: Collection[str] = (),
    now: datetime,
) -> int:
    """Create deliveries of messages to the endpoints whose types and filter accept them.

    ``again``: as in ``queries.upsert_deliveries``. Return how many deliveries are due.
    """
    filters = _current_filters(session, workspace_id, endpoints, now)
    accounts: Mapping[str, Mapping[str, Any]] = {}
    if any(each != MATCH_ALL for each in filters.values()):
        ids = {message.account_id for message in messages if message.account_id}
        accounts = queries.load_accounts(session, workspace_id, ids)
    rows = [
        {"endpoint_id": endpoint.id, "message_id": message.id}
        for endpoint in endpoints
        for message in messages
        if _wants_type(endpoint, message)
        and _passes(filters[endpoint.id], message, message.data_for(endpoint), accounts)
    ]
    return queries.upsert_deliveries(session, workspace_id, rows, again=again, now=now)


def _current_filters(
    session: Session, workspace_id: str, endpoints: Sequence[WebhookEndpoint], now: datetime
) -> Mapping[str, Filter]:
    """Parse the filters; resolve relative days and replace former account ids by current ones."""
    filters = {
        each.id: resolve_relative_days(parse_message_filter(each.filter), now.date())
        for each in endpoints
    }
    ids = {
        account_id
        for each in filters.values()
        for account_id in exact_values(each, ACCOUNT_ID_FIELDS)
    }
    current_ids = queries.load_current_ids(session, workspace_id, ids) if ids else {}
    return {
        key: replace_exact_values(each, ACCOUNT_ID_FIELDS, current_ids)
        for key, each in filters.items()
    }


def _wants_type(endpoint: WebhookEndpoint, message: OutgoingMessage) -> bool:
    if message.type == TEST_MESSAGE_TYPE:
        return False
    return not endpoint.types or message.type in endpoint.types


def _passes(
    condition: Filter,
    message: OutgoingMessage,
    data: Mapping[str, Any],
    accounts: Mapping[str, Mapping[str, Any]],
) -> bool:
    """Test a message against a filter. Filters do not apply to messages about no account."""
    if message.account_id is None:
        return True
    unknown = {"account_id": message.account_id}
    return matches(condition, field_getter(accounts.get(message.account_id, unknown), data))
