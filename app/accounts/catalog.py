"""What is sold: plans and product features. A change is audited and has every account rescored."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.due import Priority
from app.workspaces.service import Change


def put(
    session: Session,
    change: Change,
    table: type[queries.Sold],
    key: str,
    columns: Mapping[str, Any],
) -> queries.Sold:
    """Create or replace; saying the same again changes nothing."""
    created = queries.ensure(session, change.workspace_id, table, key, **columns)
    row = queries.get(session, change.workspace_id, table, key, lock=True)
    changed = row.take(columns)
    if created or changed:
        verb = "created" if created else "changed"
        announce(session, change, f"{table.__tablename__}.{verb}", key, columns)
    return row


def delete(session: Session, change: Change, table: type[queries.Sold], key: str) -> None:
    session.delete(queries.get(session, change.workspace_id, table, key, lock=True))
    announce(session, change, f"{table.__tablename__}.deleted", key, {})


def announce(
    session: Session,
    change: Change,
    action: str,
    key: str,
    columns: Mapping[str, Any],
) -> None:
    """Record a change of what is sold or what it costs, and have every account scored again."""
    change.audit(session, action, key, columns)
    queries.mark_all_due(session, change.workspace_id, priority=Priority.SWEEP)
