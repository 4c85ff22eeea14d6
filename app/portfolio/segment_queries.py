from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, get_row, insert_if_missing
from app.portfolio.tables import SavedSegment


def get_segment(
    session: Session, workspace_id: str, key: str, *, lock: bool = False
) -> SavedSegment:
    """Find a saved segment. Locked, it is fresh, and one writer at a time has it."""
    return get_row(session, SavedSegment, (workspace_id, key), "segment", lock=lock)


def insert_segment_if_missing(
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
    return insert_if_missing(session, SavedSegment, workspace_id=workspace_id, key=key, **said)


def list_segments(session: Session, workspace_id: str, paging: Paging) -> RowPage[SavedSegment]:
    """In the order of their keys."""
    rows = select(SavedSegment).where(SavedSegment.workspace_id == workspace_id)
    return fetch_page(session, rows, SavedSegment.key, paging=paging)
