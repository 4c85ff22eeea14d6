"""Workspaces and their keys; each change leaves an audit entry in the same transaction."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import ConflictError, NotFoundError, UnprocessableError
from app.workspaces import queries
from app.workspaces.keys import NewKey, Scope, generate_key
from app.workspaces.tables import ApiKey, AuditEntry, Workspace

WRITE_SCOPES = (Scope.INGEST_WRITE,)
READ_SCOPES = (Scope.HEALTH_READ,)


class ReachIncompleteError(ConflictError):
    code = "reach_incomplete"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something of which workspace, and when."""

    workspace_id: str
    actor: str
    at: datetime

    def audit(
        self, session: Session, action: str, subject: str, details: Mapping[str, Any] | None = None
    ) -> None:
        """Record it. ``details`` holds names and values, never secrets."""
        session.add(
            AuditEntry(
                workspace_id=self.workspace_id,
                at=self.at,
                actor=self.actor,
                action=action,
                subject=subject,
                details=dict(details or {}),
            )
        )


def update_workspace(session: Session, change: Actor, said: Mapping[str, Any]) -> Workspace:
    """Change what is said; saying the same again changes nothing."""
    workspace = queries.get_workspace(session, change.workspace_id, lock=True)
    changed = workspace.apply_changes(said)
    if workspace.reach == "property" and not workspace.reach_property:
        raise ReachIncompleteError("To add up a property, name it in reach_property.")
    if workspace.reach == "events" and not workspace.reach_events:
        raise ReachIncompleteError("To count events, name some in reach_events.")
    if changed:
        change.audit(session, "workspace.changed", workspace.id, changed)
    return workspace


def create_workspace(
    session: Session, name: str, *, actor: str, now: datetime, simulated: bool = False
) -> Workspace:
    """Found a workspace; its id is its name in lower case with hyphens."""
    workspace_id = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    if not workspace_id:
        raise UnprocessableError("A workspace's name needs a letter or a digit.")
    if queries.find_workspace(session, workspace_id):
        raise ConflictError(f"There is a workspace {workspace_id} already.")
    workspace = Workspace(id=workspace_id, name=name, simulated=simulated)
    session.add(workspace)
    session.flush()
    session.refresh(workspace)
    Actor(workspace_id, actor, now).audit(session, "workspace.created", workspace_id)
    return workspace


def create_key(
    session: Session,
    change: Actor,
    *,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key. Its text is in the answer and nowhere else."""
    key = generate_key()
    session.add(
        ApiKey(
            id=key.id,
            workspace_id=change.workspace_id,
            name=name,
            key_hash=key.key_hash,
            scopes=sorted(set(scopes)),
            created_at=change.at,
            expires_at=expires_at,
        )
    )
    change.audit(session, "api_key.created", key.id)
    return key


def create_write_and_read_key(session: Session, change: Actor) -> tuple[NewKey, NewKey]:
    """Make the two keys that a new workspace needs."""
    return (
        create_key(session, change, name="write", scopes=WRITE_SCOPES),
        create_key(session, change, name="read", scopes=READ_SCOPES),
    )


def get_key(session: Session, workspace_id: str, key_id: str, *, lock: bool = False) -> ApiKey:
    key = queries.find_key(session, workspace_id, key_id, lock=lock)
    if key is None:
        raise NotFoundError("API key", key_id)
    return key


def revoke_key(session: Session, change: Actor, key: ApiKey) -> None:
    """End a key at once. Revoking twice is the same as once."""
    if key.revoked_at is None:
        key.revoked_at = change.at
        change.audit(session, "api_key.revoked", key.id)


def rotate_key(session: Session, change: Actor, key: ApiKey, *, overlap: timedelta) -> NewKey:
    """Make a successor with the same scopes; the old key works on for the overlap.

    A key has one successor: of a second one nobody could say when it is to expire.
    """
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= change.at):
        raise ConflictError(f"API key {key.id} is revoked or has expired; create a new one.")
    if rotated_to := queries.find_successor_id(session, key.workspace_id, key.id):
        raise ConflictError(f"API key {key.id} was rotated to {rotated_to}; rotate that one.")
    scopes = [Scope(scope) for scope in key.scopes]
    successor = create_key(session, change, name=key.name, scopes=scopes, expires_at=key.expires_at)
    ends = change.at + overlap
    key.expires_at = min(key.expires_at, ends) if key.expires_at else ends
    change.audit(session, queries.ROTATED_ACTION, key.id, {"successor": successor.id})
    return successor
