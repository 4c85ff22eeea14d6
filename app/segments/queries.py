from datetime import datetime
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.pagination import Paging, Slice
from app.core.rows import listed, row_of
from app.segments.tables import SavedSegment


def get(session: Session, workspace_id: str, key: str, *, lock: bool = False) -> SavedSegment:
    """Find a saved segment. Locked, it is fresh, and one writer at a time has it."""
    return row_of(session, SavedSegment, (workspace_id, key), "segment", lock=lock)


def ensure(
    session: Session,
    workspace_id: str,
    key: str,
    *,
    name: str,
    filter: dict[str, Any],  # noqa: A002 - what it is called everywhere
    now: datetime,
) -> bool:
    """Create a saved segment unless there is one; whether it was created."""
    row = insert(SavedSegment).values(
        workspace_id=workspace_id,
        key=key,
        name=name,
        filter=filter,
        created_at=now,
        updated_at=now,
    )
    return session.scalar(row.on_conflict_do_nothing().returning(literal(1))) is not None


def saved(session: Session, workspace_id: str, paging: Paging) -> Slice[SavedSegment]:
    """In the order of their keys."""
    rows = select(SavedSegment).where(SavedSegment.workspace_id == workspace_id)
    return listed(session, rows, SavedSegment.key, paging=paging)
