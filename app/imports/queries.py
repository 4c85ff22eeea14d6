from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.tables import Account, Subscription
from app.core.db import Table

Imported = TypeVar("Imported", bound=Table)


def put_rows(
    session: Session, workspace_id: str, table: type[Imported], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Create rows, or replace the columns that are named; all rows name the same columns."""
    if not rows:
        return
    key = [column.name for column in inspect(table).primary_key]
    new = insert(table)
    named = {name: new.excluded[name] for name in rows[0] if name not in key}
    session.execute(
        new.on_conflict_do_update(index_elements=key, set_=named)
        if named
        else new.on_conflict_do_nothing(),
        [{"workspace_id": workspace_id, **row} for row in rows],
    )


def put_history(session: Session, workspace_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write subscription periods with the day that each was known, and first sight of accounts."""
    ids = sorted({row["account_id"] for row in rows})
    put_rows(session, workspace_id, Account, [{"account_id": account_id} for account_id in ids])
    put_rows(session, workspace_id, Subscription, rows)
