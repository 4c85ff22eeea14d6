"""Routes of the workspace, its API keys and its audit log."""

from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import ConflictError
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.workspaces import queries, service
from app.workspaces.auth import Admin, AdminActor
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.keys import NewKey
from app.workspaces.schemas import (
    ApiKeyIn,
    ApiKeyOut,
    ApiKeyRotation,
    AuditEntryOut,
    NewApiKeyOut,
    WorkspaceOut,
    WorkspacePatch,
)
from app.workspaces.service import Actor

DEFAULT_ROTATION = ApiKeyRotation()

router = APIRouter(prefix="/api/v1", tags=["workspace"], route_class=IdempotentRoute)


@router.get("/workspace", summary="Get the workspace")
def get_workspace(session: ReadSessionDep, caller: Admin) -> WorkspaceOut:
    """Return the workspace of the API key."""
    workspace = queries.get_workspace(session, caller.workspace_id)
    return WorkspaceOut.model_validate(workspace)


@router.patch("/workspace", summary="Update the workspace", responses=problem_responses(409))
def update_workspace(body: WorkspacePatch, session: SessionDep, actor: AdminActor) -> WorkspaceOut:
    """Change the fields that are sent; the others keep their values."""
    values = body.model_dump(exclude_unset=True, mode="json")
    return WorkspaceOut.model_validate(service.update_workspace(session, actor, values))


@router.get("/api-keys", summary="List API keys")
def list_api_keys(session: ReadSessionDep, caller: Admin, paging: PagingDep) -> Page[ApiKeyOut]:
    """List API keys, oldest first. Only hashes of the keys are stored: no list can show them."""
    rows = queries.list_keys(
        session, caller.workspace_id, after=paging.position(str), limit=paging.fetch_limit
    )
    return paging.page(rows, ApiKeyOut.model_validate, lambda key: key.id)


@router.post("/api-keys", summary="Create an API key", status_code=201)
def create_api_key(body: ApiKeyIn, session: SessionDep, actor: AdminActor) -> NewApiKeyOut:
    """Create an API key. Only this answer has the key itself: store it now.

    A repetition with the same `Idempotency-Key` gets the same answer for 24 hours.
    """
    seconds = body.expires_in_seconds
    expires_at = None if seconds is None else actor.at + timedelta(seconds=seconds)
    key = service.create_key(
        session, actor, name=body.name, scopes=body.scopes, expires_at=expires_at
    )
    return _with_text(session, actor, key)


@router.post(
    "/api-keys/{key_id}/rotate",
    summary="Rotate an API key",
    status_code=201,
    responses=problem_responses(409),
)
def rotate_api_key(
    key_id: Id, session: SessionDep, actor: AdminActor, body: ApiKeyRotation = DEFAULT_ROTATION
) -> NewApiKeyOut:
    """Create a successor with the same name and scopes; the old key stays valid for the overlap."""
    key = queries.get_key(session, actor.workspace_id, key_id, lock=True)
    overlap = timedelta(seconds=body.overlap_seconds)
    return _with_text(session, actor, service.rotate_key(session, actor, key, overlap=overlap))


@router.post(
    "/api-keys/{key_id}/revoke", summary="Revoke an API key", responses=problem_responses(409)
)
def revoke_api_key(key_id: Id, session: SessionDep, caller: Admin, actor: AdminActor) -> ApiKeyOut:
    """Revoke an API key at once. Idempotent. A key cannot revoke itself: use another one."""
    key = queries.get_key(session, caller.workspace_id, key_id, lock=True)
    if key.id == caller.key_id:
        raise ConflictError("A key cannot revoke itself; use another one.", code="own_key")
    service.revoke_key(session, actor, key)
    return ApiKeyOut.model_validate(key)


@router.get("/audit-entries", summary="List audit entries")
def list_audit_entries(
    session: ReadSessionDep, caller: Admin, paging: PagingDep
) -> Page[AuditEntryOut]:
    """List all changes of the workspace with their actor, newest first."""
    entries = queries.list_audit_entries(session, caller.workspace_id, paging)
    return entries.to_page(AuditEntryOut.model_validate)


def _with_text(session: Session, actor: Actor, key: NewKey) -> NewApiKeyOut:
    stored = queries.get_key(session, actor.workspace_id, key.id)
    return NewApiKeyOut.from_row(stored, key=key.text)
