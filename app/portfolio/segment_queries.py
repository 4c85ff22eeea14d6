"""Queries of saved segments."""

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
    """Return a saved segment or raise NotFoundError. ``lock`` locks and reloads it."""
    return get_row(session, SavedSegment, (workspace_id, key), "segment", lock=lock)


def insert_segment_if_missing(
    session: Session,
    workspace_id: str,
    key: str,
    *,
    name: str,
    filter: dict[str, Any],  # noqa: A002 - the name of the column
    now: datetime,
) -> bool:
    """Insert a saved segment unless its key exists; return whether it was inserted."""
    times = {"created_at": now, "updated_at": now}
    values = {"name": name, "filter": filter, **times}
    return insert_if_missing(session, SavedSegment, workspace_id=workspace_id, key=key, **values)


def list_segments(session: Session, workspace_id: str, paging: Paging) -> RowPage[SavedSegment]:
    """Return saved segments in the order of their keys."""
    rows = select(SavedSegment).where(SavedSegment.workspace_id == workspace_id)
    return fetch_page(session, rows, SavedSegment.key, paging=paging)
