"""Write messages in the transaction of the change they announce, and decide who gets them.

The worker sends the deliveries that are created here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import orjson
from sqlalchemy.orm import Session

from app.core.filters.matching import matches
from app.core.filters.tree import (
    MATCH_ALL,
    Filter,
    exact_values,
    replace_exact_values,
    resolve_relative_days,
)
from app.webhooks import queries
from app.webhooks.message_types import (
    ACCOUNT_ID_FIELDS,
    MAX_DIGEST_ITEMS,
    TEST_MESSAGE_TYPE,
    field_getter,
    parse_message_filter,
)
from app.webhooks.tables import Message, WebhookEndpoint

if TYPE_CHECKING:
    from app.webhooks.message_fields import Payload

MAX_BODY_BYTES = 20_000
MAX_SINGLE_MESSAGES = 50
"""Publishers send more than this many messages of one kind at once as one digest."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to publish. ``type``: from the catalogue; ``data`` must be JSON-ready."""

    type: str
    data: Mapping[str, Any]
    account_id: str | None = None


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


class InvalidMessageError(ValueError):
    """A publisher's message does not fit the catalogue: a bug in this service."""


def fit_digest_items(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the first items of a digest: at most ten, fewer if those are too large."""
    first = list(islice(items, MAX_DIGEST_ITEMS))
    sizes = accumulate(len(orjson.dumps(item)) for item in first)
    return [item for item, size in zip(first, sizes, strict=True) if size <= MAX_BODY_BYTES // 2]


def publish(
    session: Session,
    workspace_id: str,
    messages: Sequence[NewMessage],
    *,
    now: datetime,
    but: str | None = None,
) -> list[str]:
    """Write messages, in order, with deliveries to the endpoints that want them.

    Everything happens in the caller's transaction. ``but``: an endpoint that does not get them.
    Return the message ids. Raise InvalidMessageError or ValidationError if a message does not fit
    the catalogue.
    """
    rows = insert_messages(session, workspace_id, messages, now=now)
    enabled = queries.lock_enabled_endpoints(session, workspace_id) if rows else ()
    endpoints = [endpoint for endpoint in enabled if endpoint.id != but]
    if endpoints:
        outgoing = [OutgoingMessage.from_row(row) for row in rows]
        fan_out(session, workspace_id, outgoing, endpoints, now=now)
    return [row.id for row in rows]


def insert_messages(
    session: Session, workspace_id: str, messages: Sequence[NewMessage], *, now: datetime
) -> Sequence[Message]:
    """Write messages without deliveries. Ids sort by time and by the order of ``messages``."""
    pairs = [(message, _payload_class(message)) for message in messages]
    account_ids = [message.account_id or "" for message, payload in pairs if payload.of_account]
    numbers = iter(queries.next_sequence_numbers(session, workspace_id, account_ids))
    facts = queries.load_account_facts(session, workspace_id, {*account_ids}) if account_ids else {}
    rows = []
    for place, (message, payload) in enumerate(pairs):
        data = dict(message.data)
        if payload.of_account:
            own = {"account_id": message.account_id, "sequence": next(numbers)}
            data = {**facts.get(message.account_id or "", {}), **data, **own}
        rows.append(
            Message(
                workspace_id=workspace_id,
                id=f"msg_{round(now.timestamp() * 1000):012x}{place:04x}{uuid4().hex[:12]}",
                type=message.type,
                account_id=message.account_id,
                created_at=now,
                **_bodies(message.type, payload.model_validate(data), now),
            )
        )
    session.add_all(rows)
    session.flush()
    return rows


def _payload_class(message: NewMessage) -> "type[Payload]":
    from app.webhooks.message_schemas import CATALOGUE  # noqa: PLC0415 - it takes time to load

    payload = CATALOGUE.get(message.type)
    if payload is None:
        raise InvalidMessageError(f"There is no message type {message.type} in the catalogue.")
    if payload.of_account and not message.account_id:
        raise InvalidMessageError(f"A message {message.type} needs an account_id.")
    return payload


def _bodies(type_: str, payload: "Payload", now: datetime) -> Mapping[str, bytes | None]:
    """Serialize without personal fields and, if any of them is set, also with them."""
    personal = payload.personal_fields()
    body = _body(type_, payload.model_dump(mode="json", exclude=set(personal)), now)
    has_personal = any(getattr(payload, name) is not None for name in personal)
    full = _body(type_, payload.model_dump(mode="json"), now) if has_personal else None
    return {"body": body, "personal_body": full}


def _body(type_: str, data: Mapping[str, Any], now: datetime) -> bytes:
    body = orjson.dumps({"type": type_, "timestamp": now, "data": data})
    if len(body) > MAX_BODY_BYTES:
        raise InvalidMessageError(
            f"A message {type_} of {len(body)} bytes is too large: at most {MAX_BODY_BYTES}."
        )
    return body


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

    ``again``: states in which an existing delivery starts over. Return how many deliveries were
    created or started over.
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
