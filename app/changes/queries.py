"""Queries for the change feed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, String, cast, delete, func, or_, select, text, tuple_
from sqlalchemy.orm import Session

from app.changes.tables import Change


@dataclass(frozen=True, slots=True)
class NewChange:
    """``type`` is ``score``, ``alert`` or ``intervention``; ``data`` is JSON-ready."""

    type: str
    account_id: str | None
    data: Mapping[str, Any]


INSERT_CHANGES = text("""
INSERT INTO change (workspace_id, transaction_id, type, account_id, data, created_at)
SELECT :workspace_id, CAST(CAST(pg_current_xact_id() AS text) AS bigint), r.type, r.account_id,
       r.data, :now
FROM ROWS FROM (json_to_recordset(CAST(:rows AS json))
                AS (type text, account_id text, data jsonb)) WITH ORDINALITY
    AS r (type, account_id, data, place)
ORDER BY r.place
""")

# All databases of a cluster share the sequence of transaction ids, but transactions of other
# databases write nothing here. One whose database is unknown counts as ours: this can only make
# readers wait.
OLDEST_RUNNING = text("""
SELECT coalesce(min(CAST(CAST(x AS text) AS bigint)),
                CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint))
FROM pg_snapshot_xip(pg_current_snapshot()) AS x
WHERE NOT EXISTS (
    SELECT FROM pg_stat_activity a
    WHERE a.backend_xid = CAST(x AS xid) AND a.datname <> current_database())
""").columns(oldest_running=BigInteger)
OWN_TRANSACTION_ID = cast(cast(func.pg_current_xact_id_if_assigned(), String), BigInteger)


def record_changes(
    session: Session, workspace_id: str, changes: Sequence[NewChange], *, now: datetime
) -> None:
    """Write changes for the feed, in the caller's transaction and in this order."""
    if changes:
        rows = orjson.dumps(changes).decode()
        session.execute(INSERT_CHANGES, {"workspace_id": workspace_id, "rows": rows, "now": now})


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
    """Return the changes after a position that are complete, in the order of transactions.

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


def delete_old_changes(session: Session, *, before: datetime) -> None:
    session.execute(delete(Change).where(Change.created_at < before))
