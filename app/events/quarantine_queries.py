from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given
from app.events.ingestion import quarantine_statements as statements
from app.events.ingestion.queries import BatchOrigin
from app.events.tables import QuarantinedEvent

MAX_QUARANTINED = 100_000
OPEN, REPLAYED, DISCARDED = "open", "replayed", "discarded"


@dataclass(frozen=True, slots=True)
class QuarantineCriteria:
    """Which of the quarantined events; None: whatever it is."""

    code: str | None = None
    key_id: str | None = None
    sdk: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantineTotals:
    """``events`` that differ, and how many ``times`` one of them came."""

    events: int
    times: int


@dataclass(frozen=True, slots=True)
class QuarantineGroupTotals:
    code: str
    key_id: str
    sdk: str | None
    events: int
    times: int
    first_received_at: datetime
    last_received_at: datetime
    newest: int

    @property
    def example_id(self) -> str:
        return f"q_{self.newest}"


def quarantine_events(
    session: Session, origin: BatchOrigin, rows: Sequence[Mapping[str, Any]], *, historical: bool
) -> dict[str, int]:
    """Put events aside; one that comes again is counted, not stored again. Hash to number."""
    found = session.execute(
        statements.QUARANTINE_EVENTS,
        {
            "workspace_id": origin.workspace_id,
            "key_id": origin.key_id,
            "received_at": origin.received_at,
            "historical": historical,
            "rows": orjson.dumps(rows).decode(),
        },
    )
    return {row[0]: row[1] for row in found}


def list_quarantined(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    status: str | None,
    narrowed: QuarantineCriteria,
) -> RowPage[QuarantinedEvent]:
    """Newest first."""
    found = select(QuarantinedEvent).where(QuarantinedEvent.workspace_id == workspace_id)
    found = _matching(filter_if_given(found, status=status), narrowed)
    return fetch_page(session, found, QuarantinedEvent.number, paging=paging, newest=True)


def _matching(found: Select[Any], narrowed: QuarantineCriteria) -> Select[Any]:
    found = filter_if_given(found, code=narrowed.code, key_id=narrowed.key_id, sdk=narrowed.sdk)
    if narrowed.received_from is not None:
        found = found.where(QuarantinedEvent.received_at >= narrowed.received_from)
    if narrowed.received_to is not None:
        found = found.where(QuarantinedEvent.received_at < narrowed.received_to)
    return found


def load_summary(
    session: Session, workspace_id: str, *, status: str | None, limit: int
) -> tuple[QuarantineTotals, list[QuarantineGroupTotals]]:
    """Count what was put aside, in all and by code, key and SDK; what came most often first."""
    columns = (
        func.count(),
        func.coalesce(func.sum(QuarantinedEvent.times), 0),
    )
    conditions = [QuarantinedEvent.workspace_id == workspace_id]
    if status is not None:
        conditions.append(QuarantinedEvent.status == status)
    named = (QuarantinedEvent.code, QuarantinedEvent.key_id, QuarantinedEvent.sdk)
    rows = session.execute(
        select(
            *named,
            *columns,
            func.min(QuarantinedEvent.received_at),
            func.max(QuarantinedEvent.last_received_at),
            func.max(QuarantinedEvent.number),
        )
        .where(*conditions)
        .group_by(*named)
        .order_by(columns[1].desc(), *named)
        .limit(limit)
    )
    groups = [QuarantineGroupTotals(*row) for row in rows]
    return QuarantineTotals(*session.execute(select(*columns).where(*conditions)).one()), groups


def list_open_numbers(
    session: Session, workspace_id: str, narrowed: QuarantineCriteria, *, limit: int
) -> list[int]:
    """Return the numbers of open events that fit, the oldest first."""
    found = _matching(
        select(QuarantinedEvent.number).where(
            QuarantinedEvent.workspace_id == workspace_id, QuarantinedEvent.status == OPEN
        ),
        narrowed,
    )
    return list(session.scalars(found.order_by(QuarantinedEvent.number).limit(limit)))


def list_requests(
    session: Session, workspace_id: str, numbers: Sequence[int]
) -> list[Sequence[int]]:
    """Return the numbers of open events by the request that brought them, the oldest first."""
    first = func.min(QuarantinedEvent.number)
    return list(
        session.scalars(
            select(
                func.array_agg(aggregate_order_by(QuarantinedEvent.number, QuarantinedEvent.number))
            )
            .where(
                QuarantinedEvent.workspace_id == workspace_id,
                QuarantinedEvent.number.in_(numbers),
                QuarantinedEvent.status == OPEN,
            )
            .group_by(
                QuarantinedEvent.received_at, QuarantinedEvent.key_id, QuarantinedEvent.historical
            )
            .order_by(first)
        )
    )


def load_statuses(session: Session, workspace_id: str, numbers: Sequence[int]) -> dict[int, str]:
    rows = session.execute(
        select(QuarantinedEvent.number, QuarantinedEvent.status).where(
            QuarantinedEvent.workspace_id == workspace_id, QuarantinedEvent.number.in_(numbers)
        )
    )
    return {row[0]: row[1] for row in rows}


def lock_open_events(
    session: Session, workspace_id: str, numbers: Sequence[int]
) -> Sequence[QuarantinedEvent]:
    """Lock those that are still open, the oldest first."""
    return session.scalars(
        select(QuarantinedEvent)
        .where(
            QuarantinedEvent.workspace_id == workspace_id,
            QuarantinedEvent.number.in_(numbers),
            QuarantinedEvent.status == OPEN,
        )
        .order_by(QuarantinedEvent.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def mark_discarded(session: Session, workspace_id: str, numbers: Sequence[int]) -> int:
    """Mark those that are open as not wanted; returns how many they were."""
    changed = session.scalars(
        update(QuarantinedEvent)
        .where(
            QuarantinedEvent.workspace_id == workspace_id,
            QuarantinedEvent.number.in_(numbers),
            QuarantinedEvent.status == OPEN,
        )
        .values(status=DISCARDED)
        .returning(QuarantinedEvent.number)
    )
    return len(changed.all())


def find_quarantined(session: Session, workspace_id: str, number: int) -> QuarantinedEvent | None:
    return session.scalar(
        select(QuarantinedEvent).where(
            QuarantinedEvent.workspace_id == workspace_id, QuarantinedEvent.number == number
        )
    )


def drop_old_quarantined(session: Session, *, before: datetime) -> None:
    """Keep what came lately, and of that the newest of each workspace up to a cap."""
    session.execute(delete(QuarantinedEvent).where(QuarantinedEvent.last_received_at < before))
    newer = func.row_number().over(
        partition_by=QuarantinedEvent.workspace_id, order_by=QuarantinedEvent.number.desc()
    )
    ranked = select(QuarantinedEvent.number, newer.label("place")).subquery()
    beyond = select(ranked.c.number).where(ranked.c.place > MAX_QUARANTINED)
    session.execute(delete(QuarantinedEvent).where(QuarantinedEvent.number.in_(beyond)))
