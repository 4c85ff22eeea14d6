"""Statements of the delivery worker, each for a set of deliveries of all workspaces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import or_, select, text, tuple_
from sqlalchemy.orm import Session

from app.webhooks.tables import WebhookEndpoint

DELETE_BATCH_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this process holds until its lease ends. ``attempts``: those made before."""

    workspace_id: str
    endpoint_id: str
    message_id: str
    attempts: int
    token: UUID
    endpoint_kind: str
    encrypted: bytes
    body: bytes

    @property
    def endpoint_key(self) -> tuple[str, str]:
        return self.workspace_id, self.endpoint_id

    @property
    def delivery_key(self) -> tuple[str, str]:
        return self.endpoint_id, self.message_id


# Each endpoint contributes as many deliveries as it has free slots, in random order, so that none
# can starve another. A degraded endpoint is locked and its probe time moved to the end of the
# lease, so that all workers together have one probe in flight.
CLAIM = text("""
WITH probes AS (
    UPDATE webhook_endpoint e SET resume_at = :lease_until
    FROM (
        SELECT p.workspace_id, p.id FROM webhook_endpoint p
        WHERE p.state = 'degraded' AND NOT p.paused AND p.resume_at <= :now
          AND EXISTS (SELECT FROM delivery d WHERE d.endpoint_id = p.id AND d.state = 'pending'
                      AND d.workspace_id = p.workspace_id AND d.due_at <= :now)
        ORDER BY p.workspace_id, p.id
        LIMIT :limit
        FOR NO KEY UPDATE SKIP LOCKED
    ) p
    WHERE e.workspace_id = p.workspace_id AND e.id = p.id
    RETURNING e.workspace_id, e.id
),
active AS MATERIALIZED (
    SELECT e.workspace_id, e.id, coalesce(r.slots, :default_slots) AS slots
    FROM webhook_endpoint e
    LEFT JOIN json_to_recordset(CAST(:free_slots AS json)) AS r (id text, slots integer)
      ON r.id = e.id
    WHERE e.state = 'active' AND NOT e.paused AND (e.resume_at IS NULL OR e.resume_at <= :now)
      AND coalesce(r.slots, :default_slots) > 0
    ORDER BY e.failures > 0, random()
),
due AS MATERIALIZED (
    SELECT t.*
    FROM (SELECT workspace_id, id, 1 AS slots FROM probes UNION ALL SELECT * FROM active) e
    CROSS JOIN LATERAL (
        SELECT d.workspace_id, d.endpoint_id, d.message_id FROM delivery d
        WHERE d.endpoint_id = e.id AND d.workspace_id = e.workspace_id
          AND d.state = 'pending' AND d.due_at <= :now
        ORDER BY d.due_at
        LIMIT e.slots
        FOR NO KEY UPDATE SKIP LOCKED
    ) t
    LIMIT :limit
)
UPDATE delivery d SET token = :token, due_at = :lease_until
FROM due t
JOIN webhook_endpoint e ON e.workspace_id = t.workspace_id AND e.id = t.endpoint_id
JOIN message m ON m.workspace_id = t.workspace_id AND m.id = t.message_id
WHERE d.workspace_id = t.workspace_id AND d.endpoint_id = t.endpoint_id
  AND d.message_id = t.message_id
RETURNING d.workspace_id, d.endpoint_id, d.message_id, d.attempts, d.token, e.kind, e.encrypted,
    CASE WHEN e.personal_data THEN coalesce(m.personal_body, m.body) ELSE m.body END AS body
""")

# Fenced by the token: results for a delivery that was claimed or replayed since are ignored.
RECORD_RESULTS = text("""
WITH result AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r (
        workspace_id text, endpoint_id text, message_id text, token uuid, state text,
        due_at timestamptz, at timestamptz, milliseconds integer, status integer, error text,
        response text)
),
recorded AS (
    UPDATE delivery d
    SET state = r.state, due_at = r.due_at, token = NULL, attempts = d.attempts + 1,
        finished_at = CASE WHEN r.state <> 'pending' THEN r.at END
    FROM result r
    WHERE d.workspace_id = r.workspace_id AND d.endpoint_id = r.endpoint_id
      AND d.message_id = r.message_id AND d.token = r.token
    RETURNING d.workspace_id, d.endpoint_id, d.message_id, r.at, r.milliseconds, r.status, r.error,
              r.response
),
logged AS (
    INSERT INTO attempt (workspace_id, endpoint_id, message_id, at, milliseconds, status, error,
                         response)
    SELECT * FROM recorded ORDER BY at
)
SELECT endpoint_id, message_id FROM recorded
""")

RELEASE = text("""
UPDATE delivery SET token = NULL, due_at = :now
WHERE state = 'pending' AND token = ANY(CAST(:tokens AS uuid[]))
""")

DELETE_OLD = text("""
DELETE FROM message WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM message WHERE created_at < :before
    ORDER BY created_at LIMIT :limit)
""")


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
    return [ClaimedDelivery(*row) for row in session.execute(CLAIM, values)]


def record_results(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Write attempts and the new states of their deliveries.

    Return the ``delivery_key`` of those whose claim was still valid; the others are ignored.
    """
    recorded = session.execute(RECORD_RESULTS, {"rows": orjson.dumps(rows).decode()})
    return {(row.endpoint_id, row.message_id) for row in recorded}


def release_deliveries(session: Session, tokens: Collection[UUID], *, now: datetime) -> None:
    """Give up claims: their deliveries are due at once."""
    session.execute(RELEASE, {"tokens": list(tokens), "now": now})


def lock_affected_endpoints(
    session: Session, *, failed: Collection[tuple[str, str]], succeeded: Collection[tuple[str, str]]
) -> Sequence[WebhookEndpoint]:
    """Lock, in key order, the endpoints that failed now and those that succeed after failures."""
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
    session.execute(DELETE_OLD, {"before": before, "limit": DELETE_BATCH_SIZE})
