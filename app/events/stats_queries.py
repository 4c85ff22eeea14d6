from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.events import source_statements as statements
from app.events.ingestion.queries import BatchOrigin
from app.events.stats import COUNTERS, DailyCounts
from app.events.tables import IngestHour, IngestTally, UnattributedEvent

TALLIES_PER_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class WaitingEventCount:
    """Events that wait for their account, of one key and SDK."""

    key_id: str
    sdk: str | None
    events: int
    oldest_received_at: datetime


def insert_tallies(
    session: Session, origin: BatchOrigin, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add to the statistics what no batch told; the names are those of the counters."""
    said = {
        "workspace_id": origin.workspace_id,
        "key_id": origin.key_id,
        "at": origin.received_at,
        "code": "",
    }
    if rows:
        session.execute(insert(IngestTally), [{**said, **row} for row in rows])


def aggregate_tallies(session: Session) -> int:
    """Add what batches told to their hours, and forget it; returns how much was taken."""
    return int(session.scalar(statements.AGGREGATE_TALLIES, {"limit": TALLIES_PER_PAGE}) or 0)


def drop_old_hours(session: Session, *, before: datetime) -> None:
    session.execute(delete(IngestHour).where(IngestHour.hour < before))


def list_daily_counts(
    session: Session, workspace_id: str, *, since: datetime, until: datetime, key_id: str | None
) -> list[DailyCounts]:
    """In the order of keys, SDKs, days and codes; exact, also while the worker adds up."""
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
    """Count events that wait for their account by key and SDK, the most first."""
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
    """Count all events that wait, and tell since when the oldest does."""
    row = session.execute(
        select(func.count(), func.min(UnattributedEvent.received_at)).where(
            UnattributedEvent.workspace_id == workspace_id
        )
    ).one()
    return row[0], row[1]
