"""Queries of id changes."""

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
from app.events.tables import UnattributedEvent
from app.lifecycle import statements
from app.lifecycle.kinds import IdChangeKind
from app.lifecycle.tables import IdChange
from app.workspaces.service import Actor

PROPAGATION_DELAY = timedelta(seconds=5)
"""After this time every process knows of a change: callers are cached for one second."""


def insert_change(
    session: Session,
    workspace_id: str,
    kind: IdChangeKind,
    *,
    actor: Actor,
    step: str,
    **columns: Any,  # noqa: ANN401
) -> IdChange:
    """Insert a change; the worker begins when every process knows of it."""
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
    """Return a change of one of these kinds or raise NotFoundError."""
    change = find_row(session, IdChange, (workspace_id, change_id), lock=lock)
    if change is None or change.kind not in kinds:
        raise NotFoundError(next(iter(kinds)).noun, change_id)
    return change


def list_changes(
    session: Session, workspace_id: str, kinds: Collection[IdChangeKind], paging: Paging
) -> RowPage[IdChange]:
    """Return the changes of these kinds, newest first."""
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
    """Return the accounts of open changes. Their data is incomplete: they must not be scored."""
    return set(session.scalars(statements.ACCOUNTS_IN_TRANSITION, {"workspace_id": workspace_id}))
