"""Queries of quarantined events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given
from app.events.tables import QuarantinedEvent

MAX_QUARANTINED = 100_000
OPEN, REPLAYED, DISCARDED = "open", "replayed", "discarded"


@dataclass(frozen=True, slots=True)
class QuarantineCriteria:
    """Conditions on quarantined events; None: any value. ``received_to`` is exclusive."""

    code: str | None = None
    key_id: str | None = None
    sdk: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantineTotals:
    """``events``: number of different events. ``times``: how often they were received in all."""

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


def list_quarantined(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    status: str | None,
    criteria: QuarantineCriteria,
) -> RowPage[QuarantinedEvent]:
    """Return a page of quarantined events, newest first. ``status`` None: any status."""
    query = select(QuarantinedEvent).where(QuarantinedEvent.workspace_id == workspace_id)
    query = _matching(filter_if_given(query, status=status), criteria)
    return fetch_page(session, query, QuarantinedEvent.number, paging=paging, descending=True)


def _matching(query: Select[Any], criteria: QuarantineCriteria) -> Select[Any]:
    query = filter_if_given(query, code=criteria.code, key_id=criteria.key_id, sdk=criteria.sdk)
    if criteria.received_from is not None:
        query = query.where(QuarantinedEvent.received_at >= criteria.received_from)
    if criteria.received_to is not None:
        query = query.where(QuarantinedEvent.received_at < criteria.received_to)
    return query


def load_summary(
    session: Session, workspace_id: str, *, status: str | None, limit: int
) -> tuple[QuarantineTotals, list[QuarantineGroupTotals]]:
    """Count quarantined events, in total and by code, key and SDK, the most frequent first."""
    columns = (
        func.count(),
        func.coalesce(func.sum(QuarantinedEvent.times), 0),
    )
    conditions = [QuarantinedEvent.workspace_id == workspace_id]
    if status is not None:
        conditions.append(QuarantinedEvent.status == status)
    group_columns = (QuarantinedEvent.code, QuarantinedEvent.key_id, QuarantinedEvent.sdk)
    rows = session.execute(
        select(
            *group_columns,
            *columns,
            func.min(QuarantinedEvent.received_at),
            func.max(QuarantinedEvent.last_received_at),
            func.max(QuarantinedEvent.number),
        )
        .where(*conditions)
        .group_by(*group_columns)
        .order_by(columns[1].desc(), *group_columns)
        .limit(limit)
    )
    groups = [QuarantineGroupTotals(*row) for row in rows]
    return QuarantineTotals(*session.execute(select(*columns).where(*conditions)).one()), groups


def list_open_numbers(
    session: Session, workspace_id: str, criteria: QuarantineCriteria, *, limit: int
) -> list[int]:
    """Return the numbers of matching open events, oldest first."""
    query = _matching(
        select(QuarantinedEvent.number).where(
            QuarantinedEvent.workspace_id == workspace_id, QuarantinedEvent.status == OPEN
        ),
        criteria,
    )
    return list(session.scalars(query.order_by(QuarantinedEvent.number).limit(limit)))


def list_requests(
    session: Session, workspace_id: str, numbers: Sequence[int]
) -> list[Sequence[int]]:
    """Return the numbers of open events grouped by their request, the oldest request first."""
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
    """Lock and return the events that are still open, oldest first."""
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
    """Mark open events as discarded; return how many were open."""
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
    """Delete events last received before this time, and all but the newest of each workspace."""
    session.execute(delete(QuarantinedEvent).where(QuarantinedEvent.last_received_at < before))
    newer = func.row_number().over(
        partition_by=QuarantinedEvent.workspace_id, order_by=QuarantinedEvent.number.desc()
    )
    ranked = select(QuarantinedEvent.number, newer.label("rank")).subquery()
    beyond = select(ranked.c.number).where(ranked.c.rank > MAX_QUARANTINED)
    session.execute(delete(QuarantinedEvent).where(QuarantinedEvent.number.in_(beyond)))
