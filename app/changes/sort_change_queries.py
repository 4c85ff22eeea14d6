"""Keep lists stable while they are paged, however their rows change (docs/adr/0033).

A list is sorted by the values that its rows had on the first page. Rows that changed since then are
left out of the usual query, which an index serves, and read by a second one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Row,
    Select,
    Subquery,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from app.changes.queries import OWN_TRANSACTION_ID
from app.changes.snapshots import ListSnapshot, merge_rows
from app.changes.tables import SortChange
from app.core.pagination import InvalidCursorError, Paging, PositionType, decode_cursor
from app.core.query_helpers import keyset
from app.core.sql import load_sql

SQL = load_sql(__file__)
SNAPSHOT = SQL.snapshot.columns(
    oldest=BigInteger, next_id=BigInteger, running=ARRAY(BigInteger), number=BigInteger
)
FIRST_CHANGES = SQL.fill("first_changes")
FIRST_UNUSED = SQL.fill("first_unused")
"""SQL: the first changes of scores, and of unused features, since ``ListSnapshot.sql_values``."""
HEALTH_SCORE = "health_score"
MANY_CHANGES = 5_000
"""From so many changes on, one query that sorts all rows is faster than one for either kind."""

SOURCES = ("account", HEALTH_SCORE, "churn_risk", "intervention")

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class StablePosition:
    """The position after which a page starts, None for the first page, and the list's snapshot."""

    values: tuple[Any, ...] | None
    snapshot: ListSnapshot


def stable_position(
    session: Session, workspace_id: str, paging: Paging, *types: PositionType, now: datetime
) -> StablePosition:
    """Parse the cursor of a list; the first page takes the snapshot that later pages keep.

    A cursor without one is of an older version of the service: it keeps that of its next page.
    """
    try:
        parts = decode_cursor(paging.cursor, *types, *ListSnapshot.TYPES)
    except InvalidCursorError:
        parts = decode_cursor(paging.cursor, *types)
    if parts is not None and len(parts) > len(types):
        snapshot = ListSnapshot.parse(parts[len(types) :], now=now)
    else:
        snapshot = _load_snapshot(session, workspace_id, now)
    return StablePosition(tuple(parts[: len(types)]) if parts else None, snapshot)


def _load_snapshot(session: Session, workspace_id: str, now: datetime) -> ListSnapshot:
    row = session.execute(SNAPSHOT, {"workspace_id": workspace_id}).one()
    return ListSnapshot.of_row(row, now)


def with_snapshot(query: Select[*tuple[Any, ...]], workspace_id: str) -> Select[*tuple[Any, ...]]:
    """Add the snapshot of the statement to its rows: a first page needs no statement before it."""
    moment = SNAPSHOT.bindparams(workspace_id=workspace_id).cte("moment")
    return query.join(moment, true()).add_columns(*moment.c)


@dataclass(frozen=True, slots=True)
class PastValues:
    """The values that the rows of a list had at a snapshot.

    ``key``: the columns of the list that are equal to those of a change: its account, and its
    intervention in a list of these. ``value``: what the list is sorted by. ``named``: parts of it
    that a change has in a column of another name.
    """

    workspace_id: str
    snapshot: ListSnapshot
    key: Mapping[str, Any]
    value: ColumnElement[Any]
    named: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """The tables on which the sort value depends."""
        tables = {_table_of(each) for each in iterate(self.value)}
        return [source for source in SOURCES if source in tables]

    @property
    def is_unchanged(self) -> Condition:
        """Whether a row of the list did not change since.

        A subquery for each row: its plan is the same for any number of changes.
        """
        change = aliased(SortChange)
        changed = select(false()).where(
            self._is_later(change),
            change.source.in_(self.sources),
            *(getattr(change, name) == column for name, column in self.key.items()),
        )
        return func.coalesce(changed.limit(1).scalar_subquery(), true())

    def has_many(self, session: Session) -> bool:
        """Whether so many rows changed since that all are sorted by their past values."""
        changes = select(literal(1)).where(
            self._is_later(SortChange), SortChange.source.in_(self.sources)
        )
        counted = changes.limit(MANY_CHANGES).subquery()
        return session.scalars(select(func.count()).select_from(counted)).one() >= MANY_CHANGES

    def changed_rows(
        self, query: Select[*tuple[Any, ...]]
    ) -> tuple[Select[*tuple[Any, ...]], ColumnElement[Any]]:
        """Return the query for the rows that changed since, and the sort value as it was."""
        change = aliased(SortChange)
        changed = select(*(getattr(change, name) for name in self.key)).where(
            self._is_later(change), change.source.in_(self.sources)
        )
        keys = list(self.key.values())
        query = query.where((tuple_(*keys) if len(keys) > 1 else keys[0]).in_(changed))
        return self.past_rows(query)

    def past_rows(
        self, query: Select[*tuple[Any, ...]]
    ) -> tuple[Select[*tuple[Any, ...]], ColumnElement[Any]]:
        """Return the query for all rows, and the sort value as it was."""
        keys = self.key.items()
        firsts = {source: self._first_changes(source) for source in self.sources}
        for first in firsts.values():
            same = and_(*(first.c[name] == column for name, column in keys))
            query = query.outerjoin(first, same)
        return query, self._replace_columns(firsts)

    def _first_changes(self, source: str) -> Subquery:
        """Return the first change of each row: its old values are those of the snapshot."""
        key = [getattr(SortChange, name) for name in self.key]
        return (
            select(SortChange)
            .ext(distinct_on(*key))
            .where(self._is_later(SortChange), SortChange.source == source)
            .order_by(*key, SortChange.number)
            .subquery()
        )

    def _replace_columns(self, firsts: Mapping[str, Subquery]) -> ColumnElement[Any]:
        """Return the sort value, with the columns of changed rows read from their first changes."""

        def replace(element: Any, **_: Any) -> Any:  # noqa: ANN401 - as the visitor calls it
            names = [name for name, part in self.named.items() if part is element]
            source = HEALTH_SCORE if names else _table_of(element)
            first = firsts.get(source or "")
            if first is None:
                return None
            past = first.c[names[0] if names else element.name]
            return case((first.c.account_id.is_not(None), past), else_=element)

        value: ColumnElement[Any] = replacement_traverse(self.value, {}, replace)
        return value

    def _is_later(self, change: Any) -> Condition:  # noqa: ANN401 - SortChange or its alias
        """Whether the snapshot does not see a change."""
        ids, seen = change.transaction_id, self.snapshot
        own = and_(ids == OWN_TRANSACTION_ID, change.number > seen.number)
        is_later = or_(ids >= seen.next_id, ids.in_(seen.running), own)
        return and_(change.workspace_id == self.workspace_id, ids >= seen.oldest, is_later)


def _table_of(element: Any) -> str | None:  # noqa: ANN401 - any element of an expression
    return element.table.name if isinstance(element, Column) else None


def list_stable_rows(
    session: Session,
    workspace_id: str,
    query: Select[*tuple[Any, ...]],
    position: StablePosition,
    *,
    key: Mapping[str, Any],
    value: ColumnElement[Any],
    id_column: ColumnElement[Any],
    named: Mapping[str, ColumnElement[Any]] | None = None,
    descending: bool = True,
    limit: int,
) -> list[Row[Any]]:
    """Return a page of rows by a value, which is never null, and an id, highest or lowest first.

    The last two columns of the rows are both. ``key``, ``named``: as in ``PastValues``.
    """
    past = PastValues(workspace_id, position.snapshot, key, value, named or {})
    changed, past_value = past.changed_rows(query)
    rows = [
        session.execute(
            keyset(
                each.add_columns(by, id_column),
                *(by, id_column),
                after=position.values,
                limit=limit,
                descending=descending,
            )
        ).all()
        for each, by in ((query.where(past.is_unchanged), value), (changed, past_value))
    ]
    return merge_rows(
        *rows,
        value=lambda row: row[-2],
        key=lambda row: row[-1],
        descending=descending,
        descending_key=descending,
        limit=limit,
    )


def list_first_rows(
    session: Session,
    workspace_id: str,
    query: Select[*tuple[Any, ...]],
    *,
    value: ColumnElement[Any],
    id_column: ColumnElement[Any],
    descending: bool = True,
    limit: int,
    now: datetime,
) -> tuple[list[Row[Any]], ListSnapshot | None]:
    """Return the first page of ``list_stable_rows`` and its snapshot, in one statement.

    Without rows there is no snapshot, as no page follows.
    """
    rows = session.execute(
        keyset(
            with_snapshot(query, workspace_id).add_columns(value, id_column),
            *(value, id_column),
            after=None,
            limit=limit,
            descending=descending,
        )
    ).all()
    return list(rows), ListSnapshot.of_row(rows[0], now) if rows else None


def delete_old_sort_changes(session: Session, *, before: datetime) -> None:
    session.execute(delete(SortChange).where(SortChange.created_at < before))
