"""Read and insert the rows of any table by their own key: its primary key without the workspace."""

from collections.abc import Sequence

from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.db import Table
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import RowT, fetch_page, insert_if_missing


def ensure_row(
    session: Session, workspace_id: str, table: type[Table], *key: object, **columns: object
) -> bool:
    """Insert a row unless its key exists; return whether it was inserted."""
    names = [column.name for column in inspect(table).primary_key]
    identity = dict(zip(names, (workspace_id, *key), strict=True))
    return insert_if_missing(session, table, **identity, **columns)


def list_rows(
    session: Session, workspace_id: str, table: type[RowT], paging: Paging, **where: object
) -> RowPage[RowT]:
    """Return one page of rows, ordered by their key.

    ``where``: column to its value (None: any). True or False: whether the column has a value.
    """
    rows, key = _rows(workspace_id, table)
    for name, value in where.items():
        column = getattr(table, name)
        if isinstance(value, bool):
            rows = rows.where(column.is_not(None) if value else column.is_(None))
        elif value is not None:
            rows = rows.where(column == value)
    return fetch_page(session, rows, *key, paging=paging)


def list_all_rows(session: Session, workspace_id: str, table: type[RowT]) -> Sequence[RowT]:
    """Return all rows of a small table, ordered by their key."""
    rows, key = _rows(workspace_id, table)
    return session.scalars(rows.order_by(*key)).all()


def load_names(session: Session, workspace_id: str, table: type[Table]) -> dict[str, str]:
    """Return the names of the rows of a small table by key, in key order."""
    columns = inspect(table).columns
    rows = select(columns.key, columns.name).where(columns.workspace_id == workspace_id)
    return {row.key: row.name for row in session.execute(rows.order_by(columns.key))}


def _rows(
    workspace_id: str, table: type[RowT]
) -> tuple[Select[RowT], list[InstrumentedAttribute[object]]]:
    workspace, *key = (getattr(table, column.name) for column in inspect(table).primary_key)
    return select(table).where(workspace == workspace_id), key
