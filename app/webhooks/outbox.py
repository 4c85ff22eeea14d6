"""Write messages in the transaction of the change they announce; the worker delivers them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy.orm import Session

from app.webhooks import queries
from app.webhooks.fan_out import TEST_MESSAGE_TYPE, OutgoingMessage, fan_out
from app.webhooks.message_schemas import (
    CATALOGUE,
    MAX_DIGEST_ITEMS,
    AccountPayload,
    Payload,
    personal_fields,
)
from app.webhooks.tables import Message

MAX_BODY_BYTES = 20_000
MAX_SINGLE_MESSAGES = 50
"""Publishers send more than this many messages of one kind at once as one digest."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """``type`` is one of the catalogue, such as ``alert.opened``; ``data`` is JSON-ready."""

    type: str
    data: Mapping[str, Any]
    account_id: str | None = None


class InvalidMessageError(ValueError):
    """A publisher's message does not fit the catalogue: a bug in this service."""


def fit_digest_items(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the first items of a digest: at most ten, fewer if they are too large together."""
    fitting, bytes_left = [], MAX_BODY_BYTES // 2
    for item in islice(items, MAX_DIGEST_ITEMS):
        bytes_left -= len(orjson.dumps(item))
        if bytes_left < 0:
            break
        fitting.append(item)
    return fitting


def publish(
    session: Session, workspace_id: str, messages: Sequence[NewMessage], *, now: datetime
) -> list[str]:
    """Write messages, in order, with deliveries to the endpoints that want them.

    Everything happens in the caller's transaction. Return the message ids. Raise
    InvalidMessageError or ValidationError if a message does not fit the catalogue.
    """
    rows = insert_messages(session, workspace_id, messages, now=now)
    endpoints = queries.lock_enabled_endpoints(session, workspace_id) if rows else ()
    if endpoints:
        outgoing = [OutgoingMessage.from_row(row) for row in rows]
        fan_out(session, workspace_id, outgoing, endpoints, now=now)
    return [row.id for row in rows]


def publish_test(session: Session, workspace_id: str, endpoint_id: str, *, now: datetime) -> str:
    """Write a test message with a delivery to one endpoint, whatever types it wants."""
    test = NewMessage(TEST_MESSAGE_TYPE, {"endpoint_id": endpoint_id})
    [message] = insert_messages(session, workspace_id, [test], now=now)
    row = {"endpoint_id": endpoint_id, "message_id": message.id}
    queries.upsert_deliveries(session, workspace_id, [row], now=now)
    return message.id


def insert_messages(
    session: Session, workspace_id: str, messages: Sequence[NewMessage], *, now: datetime
) -> Sequence[Message]:
    """Write messages without deliveries. Ids sort by time and by the order of ``messages``."""
    payloads = [_payload_class(message) for message in messages]
    pairs = list(zip(messages, payloads, strict=True))
    account_ids = [
        message.account_id or "" for message, payload in pairs if _is_about_account(payload)
    ]
    numbers = iter(queries.next_sequence_numbers(session, workspace_id, account_ids))
    rows = []
    for place, (message, payload) in enumerate(pairs):
        data = dict(message.data)
        if _is_about_account(payload):
            data |= {"account_id": message.account_id, "sequence": next(numbers)}
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


def _payload_class(message: NewMessage) -> type[Payload]:
    payload = CATALOGUE.get(message.type)
    if payload is None:
        raise InvalidMessageError(f"There is no message type {message.type}.")
    if _is_about_account(payload) and not message.account_id:
        raise InvalidMessageError(f"A message {message.type} needs an account_id.")
    return payload


def _is_about_account(payload: type[Payload]) -> bool:
    return issubclass(payload, AccountPayload)


def _bodies(type_: str, payload: Payload, now: datetime) -> Mapping[str, bytes | None]:
    """Serialize without personal fields and, if any of them is set, also with them."""
    personal = personal_fields(type(payload))
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
