"""Queries that find one event by its message id: stored, waiting or quarantined."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.sql import load_sql
from app.events.tables import QuarantinedEvent, UnattributedEvent

MAX_EVENTS = 100
SQL = load_sql(__file__)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A stored event. ``account_by``: where its account comes from: event, user, alias or None."""

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
    """Return stored events by message id, in the order of client time.

    Requires a transaction: index scans are switched off until the query has run.
    """
    session.execute(SQL.set_index_scans, {"scan": "off"})
    values = {"workspace_id": workspace_id, "message_id": message_id, "limit": MAX_EVENTS}
    events = [StoredEvent(*row) for row in session.execute(SQL.find_stored_events, values)]
    session.execute(SQL.set_index_scans, {"scan": "on"})
    return events


def list_waiting_events(
    session: Session, workspace_id: str, message_id: str
) -> Sequence[UnattributedEvent]:
    events = select(UnattributedEvent).filter_by(workspace_id=workspace_id, message_id=message_id)
    return session.scalars(events.order_by(UnattributedEvent.client_at).limit(MAX_EVENTS)).all()


def list_quarantined_events(
    session: Session, workspace_id: str, message_id: str
) -> Sequence[QuarantinedEvent]:
    events = select(QuarantinedEvent).filter_by(workspace_id=workspace_id, message_id=message_id)
    return session.scalars(events.order_by(QuarantinedEvent.number).limit(MAX_EVENTS)).all()


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
    return bool(session.scalar(SQL.in_usage, values))
