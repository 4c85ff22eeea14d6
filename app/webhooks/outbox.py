"""Write messages in the transaction of the change that they tell of; the worker delivers them."""

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
"""What is more than that at once is told as one digest."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """``kind`` is one of the catalogue, such as ``alert.opened``; ``data`` is JSON-ready."""

    kind: str
    data: Mapping[str, Any]
    account_id: str | None = None


class InvalidMessageError(ValueError):
    """A publisher says what the catalogue does not know: a bug of ours."""


def fit_digest_items(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Take the first accounts of a digest: ten at most, and fewer where their ids are very long."""
    found, room = [], MAX_BODY_BYTES // 2
    for entry in islice(entries, MAX_DIGEST_ITEMS):
        room -= len(orjson.dumps(entry))
        if room < 0:
            break
        found.append(entry)
    return found


def publish(
    session: Session, workspace_id: str, messages: Sequence[NewMessage], *, now: datetime
) -> list[str]:
    """Record messages in the caller's transaction, in order, with deliveries to who wants them.

    Returns their ids. Raises where a message is not of the catalogue.
    """
    rows = insert_messages(session, workspace_id, messages, now=now)
    endpoints = queries.lock_enabled_endpoints(session, workspace_id) if rows else ()
    if endpoints:
        fan_out(
            session, workspace_id, [OutgoingMessage.of(row) for row in rows], endpoints, now=now
        )
    return [row.id for row in rows]


def publish_test(session: Session, workspace_id: str, endpoint_id: str, *, now: datetime) -> str:
    """Have one endpoint hear from us, whatever it listens to."""
    told = NewMessage(TEST_MESSAGE_TYPE, {"endpoint_id": endpoint_id})
    [message] = insert_messages(session, workspace_id, [told], now=now)
    row = {"endpoint_id": endpoint_id, "message_id": message.id}
    queries.upsert_deliveries(session, workspace_id, [row], now=now)
    return message.id


def insert_messages(
    session: Session, workspace_id: str, messages: Sequence[NewMessage], *, now: datetime
) -> Sequence[Message]:
    """Write messages that nobody gets yet."""
    payloads = [_payload(message) for message in messages]
    both = list(zip(messages, payloads, strict=True))
    of_accounts = [message.account_id or "" for message, payload in both if _ranks(payload)]
    numbers = iter(queries.next_sequence_numbers(session, workspace_id, of_accounts))
    rows = []
    for place, (message, payload) in enumerate(both):
        data = dict(message.data)
        if _ranks(payload):
            data |= {"account_id": message.account_id, "sequence": next(numbers)}
        rows.append(
            Message(
                workspace_id=workspace_id,
                id=f"msg_{round(now.timestamp() * 1000):012x}{place:04x}{uuid4().hex[:12]}",
                type=message.kind,
                account_id=message.account_id,
                created_at=now,
                **_bodies(message.kind, payload.model_validate(data), now),
            )
        )
    session.add_all(rows)
    session.flush()
    return rows


def _payload(message: NewMessage) -> type[Payload]:
    payload = CATALOGUE.get(message.kind)
    if payload is None:
        raise InvalidMessageError(f"There is no message type {message.kind}.")
    if _ranks(payload) and not message.account_id:
        raise InvalidMessageError(f"A message {message.kind} is about an account; none is named.")
    return payload


def _ranks(payload: type[Payload]) -> bool:
    return issubclass(payload, AccountPayload)


def _bodies(kind: str, said: Payload, now: datetime) -> Mapping[str, bytes | None]:
    """Say it without what is personal, and, if there is such, with it."""
    personal = personal_fields(type(said))
    plain = _body(kind, said.model_dump(mode="json", exclude=set(personal)), now)
    tells_more = any(getattr(said, name) is not None for name in personal)
    whole = _body(kind, said.model_dump(mode="json"), now) if tells_more else None
    return {"body": plain, "personal_body": whole}


def _body(kind: str, data: Mapping[str, Any], now: datetime) -> bytes:
    body = orjson.dumps({"type": kind, "timestamp": now, "data": data})
    if len(body) > MAX_BODY_BYTES:
        raise InvalidMessageError(f"A message {kind} of {len(body)} bytes is too large.")
    return body
