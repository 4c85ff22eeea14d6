"""Queries that find one event by its message id, wherever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.events.tables import QuarantinedEvent, UnattributedEvent

MAX_EVENTS = 100

# Only the block summaries (BRIN) index the message id: the planner must not use another index.
SET_INDEX_SCANS = text("""
SELECT set_config('enable_indexscan', :scan, true), set_config('enable_indexonlyscan', :scan, true)
""")

FIND_STORED_EVENTS = text("""
SELECT client_at, occurred_at, received_at, key_id, sdk, kind, name, account_id,
       coalesce(account_by, CASE WHEN account_id IS NOT NULL THEN 'event' END) AS account_by,
       user_id, anonymous_id,
       coalesce(known_on, CAST(received_at AS date)) AS known_on
FROM event
WHERE message_id = :message_id AND workspace_id || '' = :workspace_id
ORDER BY client_at LIMIT :limit
""")

IN_USAGE = text("""
SELECT EXISTS (
    SELECT FROM daily_usage
    WHERE workspace_id = :workspace_id AND account_id = :account_id AND day = :day
      AND known_on = :known_on AND user_id = :user_id AND is_anonymous = :is_anonymous
      AND event_name IN (:name, 'other'))
""")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the event table. ``account_by``: event, user or alias; None without an account."""

    client_at: datetime
    occurred_at: datetime
    received_at: datetime
    key_id: str
    sdk: str | None
    kind: str
    name: str
    account_id: str | None
    account_by: str | None
    user_id: str | None
    anonymous_id: str | None
    known_on: date

    @property
    def day(self) -> date:
        return self.occurred_at.date()


def list_stored_events(session: Session, workspace_id: str, message_id: str) -> list[StoredEvent]:
    """Return stored events by message id, ordered by client time. Requires a transaction."""
    session.execute(SET_INDEX_SCANS, {"scan": "off"})
    values = {"workspace_id": workspace_id, "message_id": message_id, "limit": MAX_EVENTS}
    events = [StoredEvent(*row) for row in session.execute(FIND_STORED_EVENTS, values)]
    session.execute(SET_INDEX_SCANS, {"scan": "on"})
    return events


def list_waiting_events(
    session: Session, workspace_id: str, message_id: str
) -> Sequence[UnattributedEvent]:
    return session.scalars(
        select(UnattributedEvent)
        .where(
            UnattributedEvent.workspace_id == workspace_id,
            UnattributedEvent.message_id == message_id,
        )
        .order_by(UnattributedEvent.client_at)
        .limit(MAX_EVENTS)
    ).all()


def list_quarantined_events(
    session: Session, workspace_id: str, message_id: str
) -> Sequence[QuarantinedEvent]:
    return session.scalars(
        select(QuarantinedEvent)
        .where(
            QuarantinedEvent.workspace_id == workspace_id,
            QuarantinedEvent.message_id == message_id,
        )
        .order_by(QuarantinedEvent.number)
        .limit(MAX_EVENTS)
    ).all()


def is_in_usage(session: Session, workspace_id: str, event: StoredEvent) -> bool:
    """Whether the usage counts of its account, day, person and name include the event."""
    values = {
        "workspace_id": workspace_id,
        "account_id": event.account_id,
        "day": event.day,
        "known_on": event.known_on,
        "user_id": event.user_id or event.anonymous_id or "",
        "is_anonymous": event.user_id is None,
        "name": event.name,
    }
    return bool(session.scalar(IN_USAGE, values))
