"""Queries of workspaces, API keys and the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, get_row, keyset
from app.workspaces.tables import ApiKey, AuditEntry, Workspace

LAST_USED_INTERVAL = timedelta(minutes=1)
ROTATED_ACTION = "api_key.rotated"


@dataclass(frozen=True, slots=True)
class IdChangeFlags:
    """Whether ids of a workspace may be erased, renamed or merged, at the time of reading.

    ``erasure_key``: None if nothing was ever erased. ``has_aliases``: whether an account was ever
    renamed or merged. ``read_at``: seconds of the monotonic clock.
    """

    erasure_key: bytes | None
    has_aliases: bool
    read_at: float


StoredKey = Row[*tuple[Any, ...]]
"""An API key with the settings of its workspace that ingestion needs."""

FIND_STORED_KEY = (
    select(
        ApiKey.id,
        ApiKey.workspace_id,
        ApiKey.key_hash,
        ApiKey.scopes,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        ApiKey.last_used_at,
        Workspace.base_currency,
        Workspace.end_customer_keys,
        Workspace.reach_property,
        Workspace.internal_domains,
        Workspace.semantic_events,
        Workspace.erasure_key,
        Workspace.has_aliases,
        func.current_setting("transaction_read_only").label("read_only"),
    )
    .join(Workspace, Workspace.id == ApiKey.workspace_id)
    .where(ApiKey.id == bindparam("key_id"))
)


def find_stored_key(session: Session, key_id: str) -> StoredKey | None:
    return session.execute(FIND_STORED_KEY, {"key_id": key_id}).one_or_none()


def load_id_change_flags(session: Session, workspace_id: str, *, at: float) -> IdChangeFlags:
    """Return the current flags of a workspace; those of a cached caller may be a second old."""
    query = select(Workspace.erasure_key, Workspace.has_aliases).where(Workspace.id == workspace_id)
    key, has_aliases = session.execute(query).one_or_none() or (None, False)
    return IdChangeFlags(key, has_aliases, at)


def mark_key_used(session: Session, key_id: str, *, now: datetime) -> None:
    """Set ``last_used_at``, at most once a minute; skip a key that another request has locked."""
    unlocked = (
        select(ApiKey.id)
        .where(
            ApiKey.id == key_id,
            or_(
                ApiKey.last_used_at.is_(None),
                ApiKey.last_used_at < now - LAST_USED_INTERVAL,
                ApiKey.last_used_at > now,
            ),
        )
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    session.execute(update(ApiKey).where(ApiKey.id == unlocked).values(last_used_at=now))


def find_workspace(session: Session, workspace_id: str) -> Workspace | None:
    return session.get(Workspace, workspace_id)


def get_workspace(session: Session, workspace_id: str, *, lock: bool = False) -> Workspace:
    return get_row(session, Workspace, (workspace_id,), lock=lock)


def list_workspaces(session: Session) -> Sequence[Workspace]:
    return session.scalars(select(Workspace).order_by(Workspace.id)).all()


def has_workspaces(session: Session) -> bool:
    return session.scalar(select(Workspace.id).limit(1)) is not None


def lock_workspaces_to_sweep(session: Session, *, today: date) -> Sequence[Workspace]:
    """Lock the workspaces not yet swept today; skip those that another worker has locked.

    A later day than today is a day that comes again after the clock went back.
    """
    return session.scalars(
        select(Workspace)
        .where(or_(Workspace.swept_on.is_(None), Workspace.swept_on != today))
        .order_by(Workspace.id)
        .with_for_update(skip_locked=True, key_share=True)  # else new accounts would block it
    ).all()


def list_keys(
    session: Session, workspace_id: str, *, after: str | None = None, limit: int | None = None
) -> Sequence[ApiKey]:
    """Return keys, oldest first; ``after`` is the id of the last key of the previous page."""
    position = (ApiKey.created_at, ApiKey.id)
    keys = select(ApiKey).where(ApiKey.workspace_id == workspace_id)
    previous = select(*position).where(ApiKey.workspace_id == workspace_id, ApiKey.id == after)
    start = None if after is None else previous.scalar_subquery()
    return session.scalars(keyset(keys, *position, after=start, limit=limit)).all()


def get_key(session: Session, workspace_id: str, key_id: str, *, lock: bool = False) -> ApiKey:
    query = select(ApiKey).filter_by(workspace_id=workspace_id, id=key_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    key = session.scalar(query)
    if key is None:
        raise NotFoundError("API key", key_id)
    return key


def find_successor_id(session: Session, workspace_id: str, key_id: str) -> str | None:
    """Return the id of the new key if a key was rotated, else None."""
    successor = select(AuditEntry.details["successor"].astext)
    return session.scalar(
        successor.filter_by(workspace_id=workspace_id, action=ROTATED_ACTION, subject=key_id)
    )


def get_key_of_any_workspace(session: Session, key_id: str) -> ApiKey:
    """Return a key: for the command line only, whose user owns all workspaces."""
    return get_row(session, ApiKey, (key_id,), "API key")


def list_audit_entries(session: Session, workspace_id: str, paging: Paging) -> RowPage[AuditEntry]:
    """Return audit entries, newest first."""
    entries = select(AuditEntry).where(AuditEntry.workspace_id == workspace_id)
    return fetch_page(session, entries, AuditEntry.id, paging=paging, descending=True)
