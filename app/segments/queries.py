from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.pagination import Paging, Slice
from app.core.rows import ensure_row, listed, row_of
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
    times = {"created_at": now, "updated_at": now}
    said = {"name": name, "filter": filter, **times}
    return ensure_row(session, SavedSegment, workspace_id=workspace_id, key=key, **said)


def saved(session: Session, workspace_id: str, paging: Paging) -> Slice[SavedSegment]:
    """In the order of their keys."""
    rows = select(SavedSegment).where(SavedSegment.workspace_id == workspace_id)
    return listed(session, rows, SavedSegment.key, paging=paging)
