"""The playbooks of a workspace: shipped ones, its changes of them, and its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import ConflictError, FieldError, NotFoundError, UnprocessableError
from app.interventions.playbooks import queries
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.definition import Playbook, Playbooks
from app.interventions.tables import OwnPlaybook
from app.workspaces.queries import get_workspace
from app.workspaces.service import Actor

MAX_OWN = 200


class PlaybookOrigin(StrEnum):
    SHIPPED = "shipped"
    CHANGED = "changed"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class WorkspacePlaybook:
    """A playbook as it applies in a workspace. ``version``: 0 as shipped, else counted up."""

    key: str
    playbook: Playbook
    origin: PlaybookOrigin
    version: int
    updated_at: datetime | None = None
    updated_by: str | None = None


def list_playbooks(session: Session, workspace_id: str) -> list[WorkspacePlaybook]:
    """List the shipped playbooks in the order of the catalogue, then the workspace's own."""
    own = {row.key: row for row in queries.list_own_playbooks(session, workspace_id)}
    names = [*shipped_playbooks(), *(key for key in own if key not in shipped_playbooks())]
    return [_workspace_playbook(key, own.get(key)) for key in names]


def load_playbooks(session: Session, workspace_id: str) -> Playbooks:
    return {each.key: each.playbook for each in list_playbooks(session, workspace_id)}


def get(session: Session, workspace_id: str, key: str) -> WorkspacePlaybook:
    row = queries.find_own_playbook(session, workspace_id, key)
    if row is None and key not in shipped_playbooks():
        raise NotFoundError("playbook", key)
    return _workspace_playbook(key, row)


def _workspace_playbook(key: str, row: OwnPlaybook | None) -> WorkspacePlaybook:
    if row is None:
        return WorkspacePlaybook(key, shipped_playbooks()[key], PlaybookOrigin.SHIPPED, 0)
    origin = PlaybookOrigin.CHANGED if key in shipped_playbooks() else PlaybookOrigin.OWN
    playbook = Playbook.model_validate(row.config)
    return WorkspacePlaybook(key, playbook, origin, row.version, row.updated_at, row.updated_by)


def put(session: Session, actor: Actor, key: str, playbook: Playbook) -> WorkspacePlaybook:
    """Add or replace a playbook; an equal playbook changes nothing."""
    workspace_id = actor.workspace_id
    get_workspace(session, workspace_id, lock=True)  # one writer at a time
    row = queries.find_own_playbook(session, workspace_id, key, lock=True)
    config = _document(playbook)
    shipped = shipped_playbooks().get(key)
    if config == (row.config if row else shipped and _document(shipped)):
        return _workspace_playbook(key, row)
    if row is None:
        if len(queries.list_own_playbooks(session, workspace_id)) >= MAX_OWN:
            raise ConflictError(
                f"A workspace has at most {MAX_OWN} own or changed playbooks: delete one first."
            )
        row = OwnPlaybook(workspace_id=workspace_id, key=key, version=0)
        session.add(row)
    row.version, row.config = row.version + 1, config
    row.updated_at, row.updated_by = actor.at, actor.name
    details = {"version": row.version, "enabled": playbook.enabled}
    actor.audit(session, "playbook.changed", key, details)
    session.flush()
    return _workspace_playbook(key, row)


def patch(
    session: Session, actor: Actor, key: str, changes: Mapping[str, Any]
) -> WorkspacePlaybook:
    """Replace the given parts of a playbook, each as a whole."""
    config = _document(get(session, actor.workspace_id, key).playbook) | dict(changes)
    return put(session, actor, key, parse_playbook(config))


def parse_playbook(config: Mapping[str, Any], at: str = "/body") -> Playbook:
    """Validate a playbook; raise UnprocessableError with pointers below ``at``."""
    try:
        return Playbook.model_validate(config)
    except ValueError as error:
        raise UnprocessableError(
            "The playbook is invalid: see `errors`.", errors=_field_errors(error, at)
        ) from None


def _field_errors(error: ValueError, at: str) -> list[FieldError]:
    """Convert pydantic errors; an error of a template or filter adds a pointer into its field."""
    parts: list[dict[str, Any]] = error.errors() if hasattr(error, "errors") else []
    return [
        FieldError(
            at
            + "".join(f"/{place}" for place in part["loc"])
            + getattr(part.get("ctx", {}).get("error"), "pointer", ""),
            part["msg"].removeprefix("Value error, "),
        )
        for part in parts
    ]


def _document(playbook: Playbook) -> dict[str, Any]:
    return playbook.model_dump(mode="json")


def delete(session: Session, actor: Actor, key: str) -> None:
    """Remove an own playbook, or restore the shipped version of a changed one."""
    row = queries.find_own_playbook(session, actor.workspace_id, key, lock=True)
    if row is None:
        raise NotFoundError("own playbook", key)
    session.delete(row)
    actor.audit(session, "playbook.dropped", key)
