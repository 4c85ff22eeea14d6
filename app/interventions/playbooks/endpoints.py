"""Playbooks over HTTP: what is shipped, changed and one's own."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import JsonObject, ResponseModel, problem_responses
from app.interventions.playbooks import service
from app.interventions.playbooks.definition import Playbook
from app.interventions.playbooks.service import PlaybookOrigin
from app.workspaces.auth import AdminActor, Reader

router = APIRouter(
    prefix="/api/v1/playbooks",
    tags=["playbooks"],
    responses=problem_responses(400, 401, 403, 404, 422),
)

NewKey = Annotated[
    str, Path(pattern="^[a-z0-9][a-z0-9_]{0,63}$", examples=["invite_to_roadmap_call"])
]
Key = Annotated[str, Path(max_length=255)]
Changes = Annotated[JsonObject, Field(examples=[{"enabled": False, "cooldown_days": 60}])]


class PlaybookOut(ResponseModel):
    """A playbook as it holds in the workspace."""

    key: str = Field(examples=["right_size"])
    origin: PlaybookOrigin
    version: int = Field(description="0 as shipped; one more with each change.", examples=[0])
    playbook: Playbook
    updated_by: str | None = Field(examples=["key:k_1"])


@router.get("")
def list_playbooks(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[PlaybookOut]:
    """List the playbooks that hold: those that are shipped, changed ones, and one's own."""
    found = service.list_playbooks(session, caller.workspace_id)
    start = max(paging.after(int) or 0, 0)
    rows = found[start : start + paging.fetch_limit]
    return paging.page(rows, PlaybookOut.model_validate, lambda _: start + paging.limit)


@router.get("/{key}")
def get_playbook(key: Key, session: ReadSessionDep, caller: Reader) -> PlaybookOut:
    """Show a playbook."""
    return PlaybookOut.model_validate(service.get(session, caller.workspace_id, key))


@router.put("/{key}", responses=problem_responses(409))
def put_playbook(
    key: NewKey, body: Playbook, session: SessionDep, change: AdminActor
) -> PlaybookOut:
    """Add a playbook of one's own, or replace one that is shipped."""
    return PlaybookOut.model_validate(service.put(session, change, key, body))


@router.patch("/{key}", responses=problem_responses(409))
def patch_playbook(key: Key, body: Changes, session: SessionDep, change: AdminActor) -> PlaybookOut:
    """Change parts of a playbook, each as a whole; ``enabled`` turns it on and off."""
    return PlaybookOut.model_validate(service.patch(session, change, key, body))


@router.delete("/{key}", status_code=204)
def delete_playbook(key: Key, session: SessionDep, change: AdminActor) -> None:
    """Remove a playbook of one's own; of a shipped one the shipped version holds again."""
    service.delete(session, change, key)
