"""Queries of quarantined events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, select, update
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
) -> tuple[Row[int, int], Sequence[Row[*tuple[Any, ...]]]]:
    """Count quarantined events, in total and by code, key and SDK, the most frequent first.

    ``events``: number of different events. ``times``: how often they were received in all.
    ``newest``: the number of the newest event.
    """
    event = QuarantinedEvent
    events = func.count().label("events")
    times = func.coalesce(func.sum(event.times), 0).label("times")
    conditions = [event.workspace_id == workspace_id]
    if status is not None:
        conditions.append(event.status == status)
    group_columns = (event.code, event.key_id, event.sdk)
    groups = select(
        *group_columns,
        events,
        times,
        func.min(event.received_at).label("first_received_at"),
        func.max(event.last_received_at).label("last_received_at"),
        func.max(event.number).label("newest"),
    ).where(*conditions)
    groups = groups.group_by(*group_columns).order_by(times.desc(), *group_columns).limit(limit)
    totals = session.execute(select(events, times).where(*conditions)).one()
    return totals, session.execute(groups).all()


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
    """Return the numbers of open events grouped by the request that sent them, oldest first."""
    event = QuarantinedEvent
    request = func.array_agg(aggregate_order_by(event.number, event.number))
    return list(
        session.scalars(
            select(request)
            .where(*_are_open(workspace_id, numbers))
            .group_by(event.received_at, event.key_id, event.historical)
            .order_by(func.min(event.number))
        )
    )


def _are_open(workspace_id: str, numbers: Sequence[int]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that select the numbered events which are still open."""
    return (
        QuarantinedEvent.workspace_id == workspace_id,
        QuarantinedEvent.number.in_(numbers),
        QuarantinedEvent.status == OPEN,
    )


def load_statuses(session: Session, workspace_id: str, numbers: Sequence[int]) -> dict[int, str]:
    query = select(QuarantinedEvent.number, QuarantinedEvent.status)
    query = query.filter_by(workspace_id=workspace_id).where(QuarantinedEvent.number.in_(numbers))
    return {row[0]: row[1] for row in session.execute(query)}


def lock_open_events(
    session: Session, workspace_id: str, numbers: Sequence[int]
) -> Sequence[QuarantinedEvent]:
    """Lock and return the events that are still open, oldest first."""
    return session.scalars(
        select(QuarantinedEvent)
        .where(*_are_open(workspace_id, numbers))
        .order_by(QuarantinedEvent.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def mark_discarded(session: Session, workspace_id: str, numbers: Sequence[int]) -> int:
    """Mark open events as discarded; return how many were open."""
    change = update(QuarantinedEvent).where(*_are_open(workspace_id, numbers))
    change = change.values(status=DISCARDED).returning(QuarantinedEvent.number)
    return len(session.scalars(change).all())


def find_quarantined(session: Session, workspace_id: str, number: int) -> QuarantinedEvent | None:
    query = select(QuarantinedEvent).filter_by(workspace_id=workspace_id, number=number)
    return session.scalar(query)


def drop_old_quarantined(session: Session, *, before: datetime) -> None:
    """Delete events last received before a time, and all but the newest ``MAX_QUARANTINED``.

    The maximum applies to each workspace.
    """
    session.execute(delete(QuarantinedEvent).where(QuarantinedEvent.last_received_at < before))
    newer = func.row_number().over(
        partition_by=QuarantinedEvent.workspace_id, order_by=QuarantinedEvent.number.desc()
    )
    ranked = select(QuarantinedEvent.number, newer.label("rank")).subquery()
    beyond = select(ranked.c.number).where(ranked.c.rank > MAX_QUARANTINED)
    session.execute(delete(QuarantinedEvent).where(QuarantinedEvent.number.in_(beyond)))
