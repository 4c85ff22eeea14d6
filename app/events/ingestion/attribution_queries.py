"""Queries that take attributable events out of the waiting table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.events.ingestion import attribution_statements as statements
from app.events.ingestion.queries import BatchOrigin

MARKS_PER_CALL = 100


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event removed from the waiting table. ``row``: the input row of the ingest statement."""

    origin: BatchOrigin
    row: Mapping[str, Any]


def take_marked_events(session: Session, *, limit: int) -> list[WaitingEvent]:
    """Remove and return attributable waiting events whose user or visitor a batch has marked.

    The marks are deleted when no marked event is left.
    """
    ids = session.scalars(statements.LOCK_DUE_ATTRIBUTIONS, {"limit": MARKS_PER_CALL}).all()
    if not ids:
        return []
    taken = _take(session, statements.TAKE_MARKED, {"limit": limit, "ids": ids})
    if len(taken) < limit:
        session.execute(statements.DROP_DUE_ATTRIBUTIONS, {"ids": ids})
    return taken


def take_attributable_events(session: Session, *, limit: int) -> list[WaitingEvent]:
    """Remove and return waiting events whose user has an account by now, among all that wait."""
    return _take(session, statements.TAKE_ATTRIBUTABLE, {"limit": limit})


def _take(
    session: Session, statement: TextClause, values: Mapping[str, object]
) -> list[WaitingEvent]:
    return [
        WaitingEvent(BatchOrigin(row.workspace_id, row.key_id, row.received_at), row.row)
        for row in session.execute(statement, values)
    ]
