"""Queries of workspaces, API keys and the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, get_row, keyset_ascending
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


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A stored API key with the settings of its workspace that ingestion needs."""

    id: str
    workspace_id: str
    key_hash: bytes
    scopes: Sequence[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    base_currency: str
    end_customer_keys: Sequence[str]
    reach_property: str | None
    internal_domains: Sequence[str]
    semantic_events: Mapping[str, Sequence[str]]
    erasure_key: bytes | None
    has_aliases: bool


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
    )
    .join(Workspace, Workspace.id == ApiKey.workspace_id)
    .where(ApiKey.id == bindparam("key_id"))
)


def find_stored_key(session: Session, key_id: str) -> StoredKey | None:
    row: Any = session.execute(FIND_STORED_KEY, {"key_id": key_id}).one_or_none()
    return StoredKey(*row) if row else None


def load_id_change_flags(session: Session, workspace_id: str, *, at: float) -> IdChangeFlags:
    """Return the flags of a workspace afresh; a caller from the cache has those of its look-up."""
    query = select(Workspace.erasure_key, Workspace.has_aliases).where(Workspace.id == workspace_id)
    key, has_aliases = session.execute(query).one_or_none() or (None, False)
    return IdChangeFlags(key, has_aliases, at)


def mark_key_used(session: Session, key_id: str, *, now: datetime) -> None:
    """Set ``last_used_at``, at most once a minute; skip a key that another request has locked."""
    unlocked = (
        select(ApiKey.id)
        .where(
            ApiKey.id == key_id,
            or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - LAST_USED_INTERVAL),
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


def lock_workspaces_to_sweep(session: Session, *, today: date) -> Sequence[Workspace]:
    """Lock the workspaces not yet swept today; skip those that another worker has locked."""
    return session.scalars(
        select(Workspace)
        .where(or_(Workspace.swept_on.is_(None), Workspace.swept_on < today))
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
    return session.scalars(keyset_ascending(keys, *position, after=start, limit=limit)).all()


def find_key(
    session: Session, workspace_id: str, key_id: str, *, lock: bool = False
) -> ApiKey | None:
    key = select(ApiKey).where(ApiKey.workspace_id == workspace_id, ApiKey.id == key_id)
    if lock:
        key = key.with_for_update().execution_options(populate_existing=True)
    return session.scalar(key)


def find_successor_id(session: Session, workspace_id: str, key_id: str) -> str | None:
    """Return the id of the key that a key was rotated to."""
    return session.scalar(
        select(AuditEntry.details["successor"].astext).where(
            AuditEntry.workspace_id == workspace_id,
            AuditEntry.action == ROTATED_ACTION,
            AuditEntry.subject == key_id,
        )
    )


def find_key_in_any_workspace(session: Session, key_id: str) -> ApiKey | None:
    """Find a key of any workspace: for the command line only, whose user owns all of them."""
    return session.get(ApiKey, key_id)


def list_audit_entries(session: Session, workspace_id: str, paging: Paging) -> RowPage[AuditEntry]:
    """Return audit entries, newest first."""
    entries = select(AuditEntry).where(AuditEntry.workspace_id == workspace_id)
    return fetch_page(session, entries, AuditEntry.id, paging=paging, descending=True)
