"""Numbered versions: rows of a workspace that are added with the next number and never changed.

One transaction at a time may add a version: the caller holds ``query_helpers.advisory_lock``.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.query_helpers import RowT


def get_newest_number(
    session: Session, workspace_id: str, number: InstrumentedAttribute[int], **key: str
) -> int:
    """Return the highest number of the workspace's rows with that key, or 0 if there is none."""
    newest = select(func.max(number)).filter_by(workspace_id=workspace_id, **key)
    return session.scalar(newest) or 0


def insert_row(
    session: Session,
    workspace_id: str,
    table: type[RowT],
    **columns: Any,  # noqa: ANN401 - columns of the table
) -> RowT:
    """Insert a row and return it with what the database generated."""
    row = table(workspace_id=workspace_id, **columns)
    session.add(row)
    session.flush()
    return row
