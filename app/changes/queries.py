"""Queries for the change feed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import BigInteger, String, cast, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.changes.tables import Change
from app.core.pagination import MAX_INTEGER
from app.core.sql import load_sql

SQL = load_sql(__file__)
OLDEST_RUNNING = SQL.oldest_running.columns(oldest_running=BigInteger)
OWN_TRANSACTION_ID = cast(cast(func.pg_current_xact_id_if_assigned(), String), BigInteger)


MOST_NEW_CHANGES = 2000
"""A reader of new changes gets at most so many at once, then all of the workspace has changed."""


Changed = tuple[str, str, str | None]
"""What changed: the workspace, the type and the account."""


class Moment(NamedTuple):
    """Which transactions had ended: what a snapshot of PostgreSQL says."""

    oldest: int
    next_id: int
    running: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change to write. ``type``: score, alert or intervention. ``data`` must be JSON-ready."""

    type: str
    account_id: str | None
    data: Mapping[str, Any]


def record_changes(
    session: Session, workspace_id: str, changes: Sequence[NewChange], *, now: datetime
) -> None:
    """Write changes for the feed, in the caller's transaction and in this order."""
    if changes:
        rows = orjson.dumps(changes).decode()
        session.execute(
            SQL.insert_changes, {"workspace_id": workspace_id, "rows": rows, "now": now}
        )


def oldest_running_transaction(session: Session) -> int:
    """Return the id below which every transaction of this database has ended."""
    return int(session.scalars(OLDEST_RUNNING).one())


def list_changes(
    session: Session,
    workspace_id: str,
    *,
    types: Collection[str],
    after: tuple[int, int],
    limit: int,
) -> Sequence[Change]:
    """Return the changes after a position, in the order of their transactions.

    A running transaction may commit before or after a younger one. So changes at or above the
    oldest running transaction are not returned yet, except the current transaction's own.
    """
    running = OLDEST_RUNNING.scalar_subquery()
    complete = or_(Change.transaction_id < running, Change.transaction_id == OWN_TRANSACTION_ID)
    position = tuple_(Change.transaction_id, Change.number)
    rows = select(Change).where(Change.workspace_id == workspace_id, position > after, complete)
    if types:
        rows = rows.where(Change.type.in_(types))
    return session.scalars(rows.order_by(*position).limit(limit)).all()


def load_new_changes(
    session: Session, workspace_ids: Collection[str], before: Moment | None
) -> tuple[Moment, Sequence[Changed]]:
    """Return the moment of this statement, and what committed since one before, in any order.

    Each change is in exactly one of the rounds of a reader, also while a transaction runs for long.
    Without ``before`` there is none.
    """
    seen = before or Moment(MAX_INTEGER, MAX_INTEGER, ())
    values: dict[str, Any] = {"workspace_ids": sorted(workspace_ids), "limit": MOST_NEW_CHANGES}
    values |= {"oldest": seen.oldest, "next_id": seen.next_id, "running": list(seen.running)}
    rows = session.execute(SQL.new_changes, values).all()
    moment = Moment(rows[0].oldest, rows[0].next_id, tuple(rows[0].running))
    return moment, [
        (row.workspace_id, row.type, row.account_id) for row in rows if row.type is not None
    ]


def load_changes_since(
    session: Session, workspace_ids: Collection[str], *, since: datetime
) -> Sequence[Changed]:
    """Return the changes made since a time, as ``load_new_changes`` does."""
    rows = select(Change.workspace_id, Change.type, Change.account_id).where(
        Change.workspace_id.in_(workspace_ids), Change.created_at >= since
    )
    found = session.execute(rows.distinct().limit(MOST_NEW_CHANGES))
    return [(row.workspace_id, row.type, row.account_id) for row in found]


def find_first_change(
    session: Session, workspace_id: str, *, since: datetime
) -> tuple[int, int] | None:
    """Return the position of the first change in the feed that was made at or after a time."""
    position = (Change.transaction_id, Change.number)
    rows = select(*position).where(Change.workspace_id == workspace_id, Change.created_at >= since)
    row = session.execute(rows.order_by(*position).limit(1)).first()
    return None if row is None else (row[0], row[1])


def delete_old_changes(session: Session, *, before: datetime) -> None:
    session.execute(delete(Change).where(Change.created_at < before))
