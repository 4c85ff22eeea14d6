"""Write messages in the transaction of the change that they tell of; the worker delivers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy.orm import Session

from app.webhooks.tables import Message


@dataclass(frozen=True, slots=True)
class NewMessage:
    """``kind`` is one of the catalogue, such as ``alert.opened``; ``data`` is JSON-ready."""

    kind: str
    data: Mapping[str, Any]
    account_id: str | None = None


def publish(
    session: Session, workspace_id: str, messages: Sequence[NewMessage], *, now: datetime
) -> list[str]:
    """Record messages in the caller's transaction, in order. Returns their ids."""
    rows = [_row(workspace_id, message, now) for message in messages]
    session.add_all(rows)
    return [row.id for row in rows]


def _row(workspace_id: str, message: NewMessage, now: datetime) -> Message:
    body = {"type": message.kind, "timestamp": now, "data": message.data}
    return Message(
        workspace_id=workspace_id,
        id=f"msg_{round(now.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        type=message.kind,
        account_id=message.account_id,
        body=orjson.dumps(body),
        created_at=now,
    )
