"""What is sold: plans and product features. A change is audited and has every account rescored."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.due import Priority
from app.core.db import Table
from app.core.query_helpers import NO_KEY_UPDATE, RowT, get_row
from app.workspaces.service import Actor


def put(
    session: Session, change: Actor, table: type[RowT], key: str, columns: Mapping[str, Any]
) -> tuple[RowT, Mapping[str, Any]]:
    """Create or replace; return the row and what of it is news: the same again changes nothing."""
    created = queries.ensure(session, change.workspace_id, table, key, **columns)
    row = get_row(session, table, (change.workspace_id, key), lock=NO_KEY_UPDATE)
    changed = columns if created else row.apply_changes(columns)
    if created or changed:
        verb = "created" if created else "changed"
        audit_and_rescore(session, change, f"{table.__tablename__}.{verb}", key, columns)
    return row, changed


def delete(session: Session, change: Actor, table: type[Table], key: str) -> None:
    session.delete(get_row(session, table, (change.workspace_id, key), lock=NO_KEY_UPDATE))
    audit_and_rescore(session, change, f"{table.__tablename__}.deleted", key, {})


def audit_and_rescore(
    session: Session,
    change: Actor,
    action: str,
    key: str,
    columns: Mapping[str, Any],
) -> None:
    """Record a change of what is sold or what it costs, and have every account scored again."""
    change.audit(session, action, key, columns)
    queries.mark_all_due(session, change.workspace_id, priority=Priority.SWEEP)
