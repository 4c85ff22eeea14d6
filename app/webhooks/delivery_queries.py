"""Statements of the delivery worker, each for a set of deliveries of all workspaces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from app.core.sql import load_sql
from app.webhooks.tables import WebhookEndpoint

SQL = load_sql(__file__)
DELETE_BATCH_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this process holds until its lease ends.

    ``attempts``: made before this. ``delay``: seconds until it may be sent.
    """

    workspace_id: str
    endpoint_id: str
    message_id: str
    attempts: int
    token: UUID
    endpoint_kind: str
    encrypted: bytes
    body: bytes
    delay: float = 0

    @property
    def endpoint_key(self) -> tuple[str, str]:
        return self.workspace_id, self.endpoint_id

    @property
    def delivery_key(self) -> tuple[str, str]:
        return self.endpoint_id, self.message_id


def claim_deliveries(
    session: Session,
    *,
    free_slots: Mapping[str, int],
    default_slots: int,
    limit: int,
    now: datetime,
    lease_until: datetime,
) -> Sequence[ClaimedDelivery]:
    """Claim due deliveries, at most ``limit`` and per endpoint at most its free slots.

    ``default_slots`` applies to endpoints that ``free_slots`` does not name.
    """
    slots = [{"id": endpoint_id, "slots": count} for endpoint_id, count in free_slots.items()]
    values = {
        "free_slots": orjson.dumps(slots).decode(),
        "default_slots": default_slots,
        "limit": limit,
        "now": now,
        "lease_until": lease_until,
        "token": uuid4(),
    }
    return [ClaimedDelivery(*row) for row in session.execute(SQL.claim, values)]


def record_results(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Write attempts and the new states of their deliveries.

    Return the ``delivery_key`` of each delivery whose claim was still valid; other results are
    ignored.
    """
    recorded = session.execute(SQL.record_results, {"rows": orjson.dumps(rows).decode()})
    return {(row.endpoint_id, row.message_id) for row in recorded}


def release_deliveries(session: Session, tokens: Collection[UUID], *, now: datetime) -> None:
    """Give up the claims with these tokens: their deliveries are due at once."""
    session.execute(SQL.release, {"tokens": list(tokens), "now": now})


def limit_waits(
    session: Session, latest: Sequence[datetime], *, lease_until: datetime, resume_at: datetime
) -> None:
    """Bring due times forward that lie too far ahead.

    ``latest``: the last possible due time of a delivery by the number of its attempts;
    ``lease_until``: of a claimed one; ``resume_at``: the last possible end of a pause.
    """
    values = {"attempts": list(range(len(latest))), "latest": list(latest)}
    session.execute(SQL.limit_waits, {**values, "lease_until": lease_until})
    session.execute(SQL.limit_pauses, {"latest": resume_at})


def lock_affected_endpoints(
    session: Session, *, failed: Collection[tuple[str, str]], succeeded: Collection[tuple[str, str]]
) -> Sequence[WebhookEndpoint]:
    """Lock, in key order, endpoints with a failure now or a success after earlier failures."""
    key = tuple_(WebhookEndpoint.workspace_id, WebhookEndpoint.id)
    recovered = key.in_(succeeded) & (WebhookEndpoint.failures > 0)
    return session.scalars(
        select(WebhookEndpoint)
        .where(or_(key.in_(failed), recovered))
        .order_by(WebhookEndpoint.workspace_id, WebhookEndpoint.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def delete_old_messages(session: Session, *, before: datetime) -> None:
    """Delete the oldest messages with their deliveries, one batch at a call."""
    session.execute(SQL.delete_old, {"before": before, "limit": DELETE_BATCH_SIZE})
