"""Routes of playbooks: shipped, changed and own ones."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from app.core.db import ReadSessionDep, SessionDep
from app.core.http.routes import DeclaredRoute
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
    route_class=DeclaredRoute,
)

NewKey = Annotated[
    str, Path(pattern="^[a-z0-9][a-z0-9_]{0,63}$", examples=["invite_to_roadmap_call"])
]
Key = Annotated[str, Path(max_length=255)]
Changes = Annotated[JsonObject, Field(examples=[{"enabled": False, "cooldown_days": 60}])]


class PlaybookOut(ResponseModel):
    """A playbook as it applies in the workspace."""

    key: str = Field(examples=["right_size"])
    origin: PlaybookOrigin
    version: int = Field(
        description="0 as shipped; increases by one with each change.", examples=[0]
    )
    playbook: Playbook
    updated_by: str | None = Field(examples=["key:k_1"])


@router.get("", summary="List playbooks")
def list_playbooks(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[PlaybookOut]:
    """List the shipped playbooks, changed or not, and then the workspace's own."""
    playbooks = service.list_playbooks(session, caller.workspace_id)
    start = max(paging.position(int) or 0, 0)
    rows = playbooks[start : start + paging.fetch_limit]
    return paging.page(rows, PlaybookOut.model_validate, lambda _: start + paging.limit)


@router.get("/{key}", summary="Get a playbook")
def get_playbook(key: Key, session: ReadSessionDep, caller: Reader) -> PlaybookOut:
    """Return a playbook as it applies in the workspace."""
    return PlaybookOut.model_validate(service.get(session, caller.workspace_id, key))


@router.put("/{key}", responses=problem_responses(409), summary="Put a playbook")
def put_playbook(
    key: NewKey, body: Playbook, session: SessionDep, actor: AdminActor
) -> PlaybookOut:
    """Add a playbook of your own, or replace a shipped one. An equal playbook changes nothing."""
    return PlaybookOut.model_validate(service.put(session, actor, key, body))


@router.patch("/{key}", responses=problem_responses(409), summary="Update a playbook")
def patch_playbook(key: Key, body: Changes, session: SessionDep, actor: AdminActor) -> PlaybookOut:
    """Replace parts of a playbook, each as a whole; `enabled` turns the playbook on and off."""
    return PlaybookOut.model_validate(service.patch(session, actor, key, body))


@router.delete("/{key}", status_code=204, summary="Delete a playbook")
def delete_playbook(key: Key, session: SessionDep, actor: AdminActor) -> None:
    """Remove a playbook of your own, or restore the shipped version of a changed one."""
    service.delete(session, actor, key)
