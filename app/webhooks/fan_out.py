"""Which endpoints get which messages, and the deliveries that follow."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
from sqlalchemy.orm import Session

from app.core.filters.matching import (
    MATCH_ALL,
    Filter,
    exact_values,
    matches,
    parse_filter,
    replace_exact_values,
    resolve_relative_days,
)
from app.webhooks import queries
from app.webhooks.message_fields import ACCOUNT_ID_FIELDS, FIELDS, OPEN_PREFIXES, field_getter
from app.webhooks.tables import Message, WebhookEndpoint

TEST_MESSAGE_TYPE = "endpoint.test"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message as endpoints choose it; ``whole`` says what is personal too."""

    id: str
    kind: str
    account_id: str | None
    data: Mapping[str, Any]
    whole: Mapping[str, Any]

    @classmethod
    def of(cls, message: Message) -> Self:
        data = orjson.loads(message.body)["data"]
        more = message.personal_body
        whole = data if more is None else orjson.loads(more)["data"]
        return cls(message.id, message.type, message.account_id, data, whole)

    def to(self, endpoint: WebhookEndpoint) -> Mapping[str, Any]:
        """Return what an endpoint would be told."""
        return self.whole if endpoint.personal_data else self.data


def parse_message_filter(raw: object) -> Filter:
    """Read an endpoint's filter, or raise FilterError. Days may move."""
    if raw == {}:
        return MATCH_ALL
    return parse_filter(raw, FIELDS, open_prefixes=OPEN_PREFIXES, choices={}, moving_days=True)


def fan_out(
    session: Session,
    workspace_id: str,
    messages: Sequence[OutgoingMessage],
    endpoints: Sequence[WebhookEndpoint],
    *,
    again: Collection[str] = (),
    now: datetime,
) -> int:
    """Have messages delivered to those endpoints that choose them. Returns how many that is."""
    filters = _filters(session, workspace_id, endpoints, now)
    accounts: Mapping[str, Mapping[str, Any]] = {}
    if any(each != MATCH_ALL for each in filters.values()):
        ids = {message.account_id for message in messages if message.account_id}
        accounts = queries.load_accounts(session, workspace_id, ids)
    rows = [
        {"endpoint_id": endpoint.id, "message_id": message.id}
        for endpoint in endpoints
        for message in messages
        if _has_type(endpoint, message)
        and _passes(filters[endpoint.id], message, message.to(endpoint), accounts)
    ]
    return queries.upsert_deliveries(session, workspace_id, rows, again=again, now=now)


def _filters(
    session: Session, workspace_id: str, endpoints: Sequence[WebhookEndpoint], now: datetime
) -> Mapping[str, Filter]:
    """Read them as of now: days that move are fixed, and an old id of an account means it."""
    filters = {
        each.id: resolve_relative_days(parse_message_filter(each.filter), now.date())
        for each in endpoints
    }
    ids = {key for each in filters.values() for key in exact_values(each, ACCOUNT_ID_FIELDS)}
    names = queries.load_current_ids(session, workspace_id, ids) if ids else {}
    return {
        key: replace_exact_values(each, ACCOUNT_ID_FIELDS, names) for key, each in filters.items()
    }


def _has_type(endpoint: WebhookEndpoint, message: OutgoingMessage) -> bool:
    return message.kind != TEST_MESSAGE_TYPE and (
        not endpoint.types or message.kind in endpoint.types
    )


def _passes(
    wanted: Filter,
    message: OutgoingMessage,
    data: Mapping[str, Any],
    accounts: Mapping[str, Mapping[str, Any]],
) -> bool:
    """Whether a filter lets a message through; it speaks of messages about accounts alone."""
    if message.account_id is None:
        return True
    unknown = {"account_id": message.account_id}
    return matches(wanted, field_getter(accounts.get(message.account_id, unknown), data))
