"""The playbooks of a workspace: those that are shipped, as it has changed them, and its own."""

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

MOST_OWN = 200


class PlaybookOrigin(StrEnum):
    SHIPPED = "shipped"
    CHANGED = "changed"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class WorkspacePlaybook:
    """A playbook as it holds in a workspace. ``version``: 0 as shipped, else one more each time."""

    key: str
    playbook: Playbook
    origin: PlaybookOrigin
    version: int
    updated_at: datetime | None = None
    updated_by: str | None = None


def list_playbooks(session: Session, workspace_id: str) -> list[WorkspacePlaybook]:
    """List those that are shipped in the order of the catalogue, then those of one's own."""
    own = {row.key: row for row in queries.list_own_playbooks(session, workspace_id)}
    names = [*shipped_playbooks(), *(key for key in own if key not in shipped_playbooks())]
    return [_held(key, own.get(key)) for key in names]


def load_playbooks(session: Session, workspace_id: str) -> Playbooks:
    return {each.key: each.playbook for each in list_playbooks(session, workspace_id)}


def get(session: Session, workspace_id: str, key: str) -> WorkspacePlaybook:
    row = queries.find_own_playbook(session, workspace_id, key)
    if row is None and key not in shipped_playbooks():
        raise NotFoundError("playbook", key)
    return _held(key, row)


def _held(key: str, row: OwnPlaybook | None) -> WorkspacePlaybook:
    if row is None:
        return WorkspacePlaybook(key, shipped_playbooks()[key], PlaybookOrigin.SHIPPED, 0)
    origin = PlaybookOrigin.CHANGED if key in shipped_playbooks() else PlaybookOrigin.OWN
    playbook = Playbook.model_validate(row.config)
    return WorkspacePlaybook(key, playbook, origin, row.version, row.updated_at, row.updated_by)


def put(session: Session, change: Actor, key: str, playbook: Playbook) -> WorkspacePlaybook:
    """Add or replace one; saying the same again changes nothing."""
    workspace_id = change.workspace_id
    get_workspace(session, workspace_id, lock=True)  # one writer at a time
    row = queries.find_own_playbook(session, workspace_id, key, lock=True)
    config = playbook.model_dump(mode="json")
    if config == (
        row.config if row else key in shipped_playbooks() and _plain(shipped_playbooks()[key])
    ):
        return _held(key, row)
    if row is None:
        if len(queries.list_own_playbooks(session, workspace_id)) >= MOST_OWN:
            raise ConflictError(f"A workspace has at most {MOST_OWN} playbooks of its own.")
        row = OwnPlaybook(workspace_id=workspace_id, key=key, version=0)
        session.add(row)
    row.version, row.config = row.version + 1, config
    row.updated_at, row.updated_by = change.at, change.actor
    details = {"version": row.version, "enabled": playbook.enabled}
    change.audit(session, "playbook.changed", key, details)
    session.flush()
    return _held(key, row)


def patch(session: Session, change: Actor, key: str, said: Mapping[str, Any]) -> WorkspacePlaybook:
    """Change the parts that are named, each as a whole."""
    config = _plain(get(session, change.workspace_id, key).playbook) | dict(said)
    return put(session, change, key, parse_playbook(config))


def parse_playbook(config: Mapping[str, Any], at: str = "/body") -> Playbook:
    """Read a playbook that is put together of parts, or say what is wrong with it and where."""
    try:
        return Playbook.model_validate(config)
    except ValueError as error:
        raise UnprocessableError("It is no playbook.", errors=_wrong(error, at)) from None


def _wrong(error: ValueError, at: str) -> list[FieldError]:
    """Each part is a pydantic error: a place, and perhaps one more inside of it."""
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


def _plain(playbook: Playbook) -> dict[str, Any]:
    return playbook.model_dump(mode="json")


def delete(session: Session, change: Actor, key: str) -> None:
    """Remove an own one; of a shipped one the shipped version holds again."""
    row = queries.find_own_playbook(session, change.workspace_id, key, lock=True)
    if row is None:
        raise NotFoundError("own playbook", key)
    session.delete(row)
    change.audit(session, "playbook.dropped", key)
