from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from app.webhooks import statements
from app.webhooks.tables import WebhookEndpoint

DELETE_BATCH_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this process holds until its lease ends; ``attempts`` were made before."""

    workspace_id: str
    endpoint_id: str
    message_id: str
    attempts: int
    token: UUID
    kind: str
    sealed: bytes
    body: bytes

    @property
    def endpoint(self) -> tuple[str, str]:
        return self.workspace_id, self.endpoint_id

    @property
    def delivery(self) -> tuple[str, str]:
        return self.endpoint_id, self.message_id


def claim_deliveries(
    session: Session,
    *,
    rooms: Mapping[str, int],
    room: int,
    limit: int,
    now: datetime,
    lease_until: datetime,
) -> Sequence[ClaimedDelivery]:
    """Take what is due: of each endpoint as many as there is room for, ``room`` if not named."""
    named = [{"id": name, "room": each} for name, each in rooms.items()]
    values = {
        "rooms": orjson.dumps(named).decode(),
        "room": room,
        "limit": limit,
        "now": now,
        "lease_until": lease_until,
        "token": uuid4(),
    }
    return [ClaimedDelivery(*row) for row in session.execute(statements.CLAIM, values)]


def record_results(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Write what came of deliveries; return those that were still held, by endpoint and message."""
    settled = session.execute(statements.SETTLE, {"rows": orjson.dumps(rows).decode()})
    return {(row.endpoint_id, row.message_id) for row in settled}


def release_deliveries(session: Session, tokens: Collection[UUID], *, now: datetime) -> None:
    session.execute(statements.RELEASE, {"tokens": list(tokens), "now": now})


def lock_affected_endpoints(
    session: Session, *, failed: Collection[tuple[str, str]], worked: Collection[tuple[str, str]]
) -> Sequence[WebhookEndpoint]:
    """Lock, in key order, the endpoints that failed now, and those that work after failures."""
    key = tuple_(WebhookEndpoint.workspace_id, WebhookEndpoint.id)
    failed_before = key.in_(worked) & (WebhookEndpoint.failures > 0)
    return session.scalars(
        select(WebhookEndpoint)
        .where(or_(key.in_(failed), failed_before))
        .order_by(WebhookEndpoint.workspace_id, WebhookEndpoint.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def delete_old_messages(session: Session, *, before: datetime) -> None:
    """Drop messages with all that came of them; the rest of a large heap the next time."""
    session.execute(statements.DROP_OLD, {"before": before, "limit": DELETE_BATCH_SIZE})
