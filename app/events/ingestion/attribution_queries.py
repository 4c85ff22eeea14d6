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
    """An event taken out of the waiting room, with the row that the ingest statement takes."""

    origin: BatchOrigin
    row: Mapping[str, Any]


def take_marked_events(session: Session, *, limit: int) -> list[WaitingEvent]:
    """Take waiting events out whose user or visitor was marked by what a batch said of them."""
    ids = session.scalars(statements.LOCK_DUE_BINDINGS, {"limit": MARKS_PER_CALL}).all()
    if not ids:
        return []
    taken = _take(session, statements.TAKE_MARKED, {"limit": limit, "ids": ids})
    if len(taken) < limit:
        session.execute(statements.DROP_DUE_BINDINGS, {"ids": ids})
    return taken


def take_attributable_events(session: Session, *, limit: int) -> list[WaitingEvent]:
    """Look at all waiting events and take those out whose user has an account by now."""
    return _take(session, statements.TAKE_ATTRIBUTABLE, {"limit": limit})


def _take(
    session: Session, statement: TextClause, values: Mapping[str, object]
) -> list[WaitingEvent]:
    return [
        WaitingEvent(BatchOrigin(row.workspace_id, row.key_id, row.received_at), row.row)
        for row in session.execute(statement, values)
    ]
