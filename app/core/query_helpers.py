"""Building blocks of queries: a row by its key, optional filters, keyset pages, locks."""

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
    "SELECT pg_advisory_xact_lock(hashtextextended(:workspace_id || chr(31) || :name, 0))"
)

SortColumn = InstrumentedAttribute[Any] | ColumnElement[Any]
NO_KEY_UPDATE = {"key_share": True}
"""``FOR NO KEY UPDATE``: other transactions may still insert rows that refer to the row."""


def known_mrr_cents(row: str, *, status: str = "") -> str:
    """Return SQL for the MRR of a score: null while a part of its price has no rate.

    Stored is 0 then. ``row``: the name of the score in the statement. ``status``: SQL of its price
    status, where that is no column.
    """
    status = status or f"{row}.price_status"
    return f"CASE WHEN {status} IS DISTINCT FROM 'no_rate' THEN {row}.mrr_cents END"


def get_row(
    session: Session,
    table: type[RowT],
    key: tuple[object, ...],
    kind: str | None = None,
    *,
    lock: bool | dict[str, Any] = False,
) -> RowT:
    """Return the row of a primary key, or raise ``NotFoundError``.

    ``kind``: the noun for the row in the error sentence; None: the table's name. A key of one
    column is looked for in all workspaces. ``lock`` locks the row until the end of the transaction
    and reloads it.
    """
    row = find_row(session, table, key, lock=lock)
    if row is None:
        noun = kind or table_noun(table)
        raise NotFoundError(noun, key[-1], in_workspace=len(key) > 1)
    return row


def find_row(
    session: Session,
    table: type[RowT],
    key: tuple[object, ...],
    *,
    lock: bool | dict[str, Any] = False,
) -> RowT | None:
    """Return the row of a primary key or None. ``lock`` as in ``get_row``."""
    return session.get(table, key, with_for_update=lock or None, populate_existing=bool(lock))


def insert_if_missing(session: Session, table: type[Table], **columns: object) -> bool:
    """Insert a row unless its key exists; return whether it was inserted."""
    row = insert(table).values(**columns).on_conflict_do_nothing()
    return session.scalar(row.returning(literal(1))) is not None


def table_noun(table: type[Table]) -> str:
    """Return the name of a table's rows for error sentences: ``alert_rule`` is "alert rule"."""
    return str(table.__tablename__).replace("_", " ")


def same_account(left: Any, right: Any) -> ColumnElement[bool]:  # noqa: ANN401 - mapped classes
    """Return the join condition of two tables that both have a workspace and an account."""
    return and_(left.workspace_id == right.workspace_id, left.account_id == right.account_id)


def advisory_lock(session: Session, name: str, workspace_id: str) -> None:
    """Take a named lock of a workspace until the end of the transaction; wait if it is taken."""
    session.execute(ADVISORY_LOCK, {"name": name, "workspace_id": workspace_id})


def filter_if_given(query: SelectT, **columns: object) -> SelectT:
    """Add ``column = value`` for each value that is not None.

    For optional query parameters only, never for the workspace: None would read all workspaces.
    """
    return query.filter_by(**{name: value for name, value in columns.items() if value is not None})


def keyset(
    query: SelectT,
    *columns: SortColumn,
    after: Any,  # noqa: ANN401
    limit: int | None,
    descending: bool = False,
) -> SelectT:
    """Order by columns that identify a row; start after a position (a value, or a tuple)."""
    if after is not None:
        position: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
        query = query.where(position < after if descending else position > after)
    order = (column.desc() for column in columns) if descending else columns
    return query.order_by(*order).limit(limit)


def fetch_page(
    session: Session,
    query: Select[RowT],
    *columns: InstrumentedAttribute[Any],
    paging: Paging,
    descending: bool = False,
) -> RowPage[RowT]:
    """Fetch the requested page of a query, ordered by columns that identify a row."""
    position = paging.position(*(column.type.python_type for column in columns))
    query = keyset(query, *columns, after=position, limit=paging.fetch_limit, descending=descending)
    keys = [column.key for column in columns]
    return paging.cut(
        session.scalars(query).all(), lambda row: tuple(getattr(row, key) for key in keys)
    )
