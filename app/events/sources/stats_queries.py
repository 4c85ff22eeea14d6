"""Queries of ingest statistics and of waiting events."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.events.sources import statements
from app.events.sources.stats import COUNTERS, DailyCounts
from app.events.tables import IngestHour, UnattributedEvent

TALLIES_PER_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class WaitingEventCount:
    """The number of events of one key and SDK that wait for their account."""

    key_id: str
    sdk: str | None
    events: int
    oldest_received_at: datetime


def aggregate_tallies(session: Session) -> int:
    """Move a page of tallies into their hours; return how many were moved."""
    return int(session.scalar(statements.AGGREGATE_TALLIES, {"limit": TALLIES_PER_PAGE}) or 0)


def drop_old_hours(session: Session, *, before: datetime) -> None:
    session.execute(delete(IngestHour).where(IngestHour.hour < before))


def list_daily_counts(
    session: Session, workspace_id: str, *, since: datetime, until: datetime, key_id: str | None
) -> list[DailyCounts]:
    """Return the counts in the order of keys, SDKs, days and codes.

    They are exact: tallies that the worker has not aggregated yet are included.
    """
    values = {
        "workspace_id": workspace_id,
        "since": since,
        "until": until,
        "key_id": key_id,
    }
    rows = session.execute(statements.DAILY_COUNTS, values).mappings()
    return [
        DailyCounts(
            row["key_id"],
            row["key_name"],
            row["sdk"],
            row["code"],
            row["day"],
            row["last_at"],
            {name: int(row[name]) for name in COUNTERS},
        )
        for row in rows
    ]


def list_waiting_counts(
    session: Session, workspace_id: str, *, limit: int
) -> list[WaitingEventCount]:
    """Count waiting events by key and SDK, the largest count first."""
    sdk = UnattributedEvent.row["sdk"].astext
    events = func.count()
    rows = session.execute(
        select(UnattributedEvent.key_id, sdk, events, func.min(UnattributedEvent.received_at))
        .where(UnattributedEvent.workspace_id == workspace_id)
        .group_by(UnattributedEvent.key_id, sdk)
        .order_by(events.desc(), UnattributedEvent.key_id, sdk)
        .limit(limit)
    )
    return [WaitingEventCount(*row) for row in rows]


def count_waiting_events(session: Session, workspace_id: str) -> tuple[int, datetime | None]:
    """Return the number of waiting events, and the receive time of the oldest."""
    row = session.execute(
        select(func.count(), func.min(UnattributedEvent.received_at)).where(
            UnattributedEvent.workspace_id == workspace_id
        )
    ).one()
    return row[0], row[1]
