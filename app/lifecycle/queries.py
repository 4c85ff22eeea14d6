"""Queries of id changes, and of scores for the trace of an event."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.accounts.tables import User
from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, find_row
from app.core.sql import load_sql
from app.events.tables import UnattributedEvent
from app.health.tables import HealthScore
from app.lifecycle.tables import IdChange, IdChangeKind
from app.workspaces.service import Actor

SQL = load_sql(__file__)
PROPAGATION_DELAY = timedelta(seconds=5)
"""After this time every process knows of an id change: callers are cached for one second."""


def insert_change(
    session: Session,
    workspace_id: str,
    kind: IdChangeKind,
    *,
    actor: Actor,
    step: str,
    **columns: Any,  # noqa: ANN401
) -> IdChange:
    """Insert an id change; the worker begins it after ``PROPAGATION_DELAY``."""
    change = IdChange(
        workspace_id=workspace_id,
        id=f"{kind.prefix}_{uuid4().hex[:20]}",
        kind=kind,
        step=step,
        requested_by=actor.name,
        requested_at=actor.at,
        ready_at=actor.at + PROPAGATION_DELAY,
        **columns,
    )
    session.add(change)
    session.flush()
    session.refresh(change)
    return change


def get_change(
    session: Session,
    workspace_id: str,
    kinds: Collection[IdChangeKind],
    change_id: str,
    *,
    lock: bool = False,
) -> IdChange:
    """Return an id change of one of these kinds, or raise NotFoundError."""
    change = find_row(session, IdChange, (workspace_id, change_id), lock=lock)
    if change is None or change.kind not in kinds:
        raise NotFoundError(next(iter(kinds)).noun, change_id)
    return change


def list_changes(
    session: Session, workspace_id: str, kinds: Collection[IdChangeKind], paging: Paging
) -> RowPage[IdChange]:
    """Return a page of id changes of these kinds, newest first."""
    query = select(IdChange).where(
        IdChange.workspace_id == workspace_id, IdChange.kind.in_(list(kinds))
    )
    return fetch_page(session, query, IdChange.number, paging=paging, descending=True)


def user_exists(session: Session, workspace_id: str, user_id: str) -> bool:
    """Whether a user exists, or an event of the id waits for its account."""
    user = exists().where(User.workspace_id == workspace_id, User.user_id == user_id)
    waiting = exists().where(
        UnattributedEvent.user_id == user_id, UnattributedEvent.workspace_id == workspace_id
    )
    return bool(session.scalar(select(or_(user, waiting))))


def list_accounts_in_transition(session: Session, workspace_id: str) -> set[str]:
    """Return the accounts of unfinished id changes: they are incomplete and must not be scored."""
    return set(session.scalars(SQL.accounts_in_transition, {"workspace_id": workspace_id}))


def load_scores(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, HealthScore]:
    """Return the newest scores by account; accounts without a score are left out."""
    rows = session.scalars(
        select(HealthScore).where(
            HealthScore.workspace_id == workspace_id,
            HealthScore.account_id.in_(account_ids),
            HealthScore.as_of.is_not(None),
            HealthScore.data_through.is_not(None),
        )
    )
    return {row.account_id: row for row in rows}
