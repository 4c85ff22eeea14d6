"""What queries of all packages are made of: a row by its key, what is asked for, one page."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, literal, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.db import Table
from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage

RowT = TypeVar("RowT", bound=Table)
SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])
ADVISORY_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(:workspace_id || chr(31) || :what, 0))"
)

SortColumn = InstrumentedAttribute[Any] | ColumnElement[Any]
NO_KEY_UPDATE = {"key_share": True}
"""A lock under which others may still refer to the row, as new rows of an account do."""


def get_row(
    session: Session,
    table: type[RowT],
    key: tuple[object, ...],
    kind: str | None = None,
    *,
    lock: bool | dict[str, Any] = False,
) -> RowT:
    """Find a row by its key, or say that there is no such ``kind``; else what the table is called.

    Locked, it is fresh, and one writer at a time has it.
    """
    row = find_row(session, table, key, lock=lock)
    if row is None:
        raise NotFoundError(kind or table_noun(table), key[-1])
    return row


def find_row(
    session: Session,
    table: type[RowT],
    key: tuple[object, ...],
    *,
    lock: bool | dict[str, Any] = False,
) -> RowT | None:
    return session.get(table, key, with_for_update=lock or None, populate_existing=bool(lock))


def insert_if_missing(session: Session, table: type[Table], **columns: object) -> bool:
    """Create a row unless there is one of its key; whether it was created."""
    row = insert(table).values(**columns).on_conflict_do_nothing()
    return session.scalar(row.returning(literal(1))) is not None


def table_noun(table: type[Table]) -> str:
    """Name what a table holds as people read it."""
    return str(table.__tablename__).replace("_", " ")


def same_account(one: Any, other: Any) -> ColumnElement[bool]:  # noqa: ANN401 - tables of accounts
    """Say that rows of two tables are of one account, to join them by."""
    return and_(one.workspace_id == other.workspace_id, one.account_id == other.account_id)


def advisory_lock(session: Session, what: str, workspace_id: str) -> None:
    """Let one transaction of a workspace at a time do something; the next waits for its end."""
    session.execute(ADVISORY_LOCK, {"what": what, "workspace_id": workspace_id})


def filter_if_given(rows: SelectT, **asked: object) -> SelectT:
    """Keep the rows whose columns are what is asked for; None asks for nothing.

    For what a caller may leave out, never for the workspace.
    """
    return rows.filter_by(**{name: value for name, value in asked.items() if value is not None})


def keyset_ascending(rows: SelectT, *place: SortColumn, after: Any, limit: int | None) -> SelectT:  # noqa: ANN401
    """Take the rows after a place, which names one row: a value, or a tuple of several."""
    if after is not None:
        rows = rows.where(_of(place) > after)
    return rows.order_by(*place).limit(limit)


def keyset_descending(rows: SelectT, *place: SortColumn, before: Any, limit: int | None) -> SelectT:  # noqa: ANN401
    """Take the rows before a place, from the last one on."""
    if before is not None:
        rows = rows.where(_of(place) < before)
    return rows.order_by(*(column.desc() for column in place)).limit(limit)


def fetch_page(
    session: Session,
    rows: Select[RowT],
    *place: InstrumentedAttribute[Any],
    paging: Paging,
    newest: bool = False,
) -> RowPage[RowT]:
    """Fetch the page that is asked for, in the order of a place or from its last one on."""
    position = paging.after(*(column.type.python_type for column in place))
    if newest:
        rows = keyset_descending(rows, *place, before=position, limit=paging.fetch_limit)
    else:
        rows = keyset_ascending(rows, *place, after=position, limit=paging.fetch_limit)
    found = session.scalars(rows).all()
    keys = [column.key for column in place]
    return RowPage(*paging.cut(found, lambda row: tuple(getattr(row, key) for key in keys)))


def _of(place: tuple[SortColumn, ...]) -> Any:  # noqa: ANN401 - what can be compared
    return place[0] if len(place) == 1 else tuple_(*place)
