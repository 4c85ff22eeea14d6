"""Change workspaces and API keys. Each change adds an audit entry in the same transaction."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import ConflictError, UnprocessableError
from app.workspaces import queries
from app.workspaces.keys import NewKey, Scope, generate_key
from app.workspaces.tables import ApiKey, AuditEntry, Workspace

MAX_NAME_LENGTH = 200


class ReachIncompleteError(ConflictError):
    code = "reach_incomplete"


@dataclass(frozen=True, slots=True)
class Actor:
    """The author, workspace and time of a change. ``name`` is ``key:<id>`` or names a process."""

    workspace_id: str
    name: str
    at: datetime

    def audit(
        self, session: Session, action: str, subject: str, details: Mapping[str, Any] | None = None
    ) -> None:
        """Add an audit entry. ``details`` holds names and values, never secrets."""
        session.add(
            AuditEntry(
                workspace_id=self.workspace_id,
                at=self.at,
                actor=self.name,
                action=action,
                subject=subject,
                details=dict(details or {}),
            )
        )


def update_workspace(session: Session, actor: Actor, values: Mapping[str, Any]) -> Workspace:
    """Set the given columns. Equal values change nothing and are not audited."""
    workspace = queries.get_workspace(session, actor.workspace_id, lock=True)
    changed = workspace.apply_changes(values)
    if workspace.reach == "property" and not workspace.reach_property:
        raise ReachIncompleteError("The reach method `property` needs `reach_property`.")
    if workspace.reach == "events" and not workspace.reach_events:
        raise ReachIncompleteError("The reach method `events` needs names in `reach_events`.")
    if changed:
        actor.audit(session, "workspace.changed", workspace.id, changed)
    return workspace


def create_workspace(
    session: Session, name: str, *, actor_name: str, now: datetime, simulated: bool = False
) -> Workspace:
    """Create a workspace; its id is its name in lower case with hyphens."""
    workspace_id = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    if not workspace_id:
        raise UnprocessableError("The name of a workspace needs at least one letter a-z or digit.")
    if len(name) > MAX_NAME_LENGTH:
        raise UnprocessableError(
            f"The name of a workspace has at most {MAX_NAME_LENGTH} characters: use a shorter one."
        )
    if queries.find_workspace(session, workspace_id):
        raise ConflictError(f"The workspace {workspace_id} exists already: choose another name.")
    workspace = Workspace(id=workspace_id, name=name, simulated=simulated)
    session.add(workspace)
    session.flush()
    session.refresh(workspace)
    Actor(workspace_id, actor_name, now).audit(session, "workspace.created", workspace_id)
    return workspace


def create_key(
    session: Session,
    actor: Actor,
    *,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None = None,
) -> NewKey:
    """Create a key. Only the returned value has its text; the database stores a hash."""
    key = generate_key()
    session.add(
        ApiKey(
            id=key.id,
            workspace_id=actor.workspace_id,
            name=name,
            key_hash=key.key_hash,
            scopes=sorted(set(scopes)),
            created_at=actor.at,
            expires_at=expires_at,
        )
    )
    actor.audit(session, "api_key.created", key.id)
    return key


def create_write_and_read_key(session: Session, actor: Actor) -> tuple[NewKey, NewKey]:
    """Create the two keys that a new workspace needs."""
    write = create_key(session, actor, name="write", scopes=[Scope.INGEST_WRITE])
    return write, create_key(session, actor, name="read", scopes=[Scope.HEALTH_READ])


def revoke_key(session: Session, actor: Actor, key: ApiKey) -> None:
    """Revoke a key at once. Idempotent."""
    if key.revoked_at is None:
        key.revoked_at = actor.at
        actor.audit(session, "api_key.revoked", key.id)


def rotate_key(session: Session, actor: Actor, key: ApiKey, *, overlap: timedelta) -> NewKey:
    """Create a successor with the same scopes; the old key stays valid for the overlap.

    A key has only one successor: with a second one the end of the overlap would be ambiguous.
    """
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= actor.at):
        raise ConflictError(f"The API key {key.id} is revoked or has expired; create a new one.")
    if successor_id := queries.find_successor_id(session, key.workspace_id, key.id):
        raise ConflictError(
            f"The API key {key.id} was rotated to {successor_id} already; rotate that one."
        )
    scopes = [Scope(scope) for scope in key.scopes]
    successor = create_key(session, actor, name=key.name, scopes=scopes, expires_at=key.expires_at)
    ends = actor.at + overlap
    key.expires_at = min(key.expires_at, ends) if key.expires_at else ends
    actor.audit(session, queries.ROTATED_ACTION, key.id, {"successor": successor.id})
    return successor
