"""Write catalog rows: plans, product features, and settings of the same kind.

A change is audited and queues every account for scoring.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import queries, refresh_queue
from app.core.db import Table
from app.core.query_helpers import NO_KEY_UPDATE, RowT, get_row
from app.workspaces.service import Actor


def put(
    session: Session, actor: Actor, table: type[RowT], key: str, columns: Mapping[str, Any]
) -> tuple[RowT, Mapping[str, Any]]:
    """Create or replace a row; return it and the columns that changed (empty if none did)."""
    created = queries.ensure(session, actor.workspace_id, table, key, **columns)
    row = get_row(session, table, (actor.workspace_id, key), lock=NO_KEY_UPDATE)
    changed = columns if created else row.apply_changes(columns)
    if created or changed:
        verb = "created" if created else "changed"
        audit_and_rescore(session, actor, f"{table.__tablename__}.{verb}", key, columns)
    return row, changed


def delete(session: Session, actor: Actor, table: type[Table], key: str) -> None:
    session.delete(get_row(session, table, (actor.workspace_id, key), lock=NO_KEY_UPDATE))
    audit_and_rescore(session, actor, f"{table.__tablename__}.deleted", key, {})


def audit_and_rescore(
    session: Session, actor: Actor, action: str, key: str, columns: Mapping[str, Any]
) -> None:
    """Audit a change of what is sold or what it costs, and queue every account for scoring."""
    actor.audit(session, action, key, columns)
    refresh_queue.mark_all_due(session, actor.workspace_id, priority=refresh_queue.Priority.SWEEP)
