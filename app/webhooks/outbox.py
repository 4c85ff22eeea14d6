"""Write messages in the transaction of the change that they tell of; the worker delivers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy.orm import Session

from app.webhooks.message_schemas import CATALOGUE, OfAccount, personal_fields
from app.webhooks.tables import Message

MOST_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class NewMessage:
    """``kind`` is one of the catalogue, such as ``alert.opened``; ``data`` is JSON-ready."""

    kind: str
    data: Mapping[str, Any]
    account_id: str | None = None


class MessageError(ValueError):
    """A publisher says what the catalogue does not know: a bug of ours."""


def publish(
    session: Session, workspace_id: str, messages: Sequence[NewMessage], *, now: datetime
) -> list[str]:
    """Record messages in the caller's transaction, in order. Returns their ids."""
    rows = [_row(workspace_id, message, now) for message in messages]
    session.add_all(rows)
    return [row.id for row in rows]


def _row(workspace_id: str, message: NewMessage, now: datetime) -> Message:
    return Message(
        workspace_id=workspace_id,
        id=f"msg_{round(now.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        type=message.kind,
        account_id=message.account_id,
        body=_body(message, 1, now),
        created_at=now,
    )


def _body(message: NewMessage, sequence: int, now: datetime) -> bytes:
    payload = CATALOGUE.get(message.kind)
    if payload is None:
        raise MessageError(f"There is no message type {message.kind}.")
    data = dict(message.data)
    if issubclass(payload, OfAccount):
        data |= {"account_id": message.account_id, "sequence": sequence}
    said = payload.model_validate(data)
    shown = said.model_dump(mode="json", exclude=set(personal_fields(payload)))
    body = orjson.dumps({"type": message.kind, "timestamp": now, "data": shown})
    if len(body) > MOST_BYTES:
        raise MessageError(f"A message {message.kind} of {len(body)} bytes is too large.")
    return body
