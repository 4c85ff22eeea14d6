from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import ConflictError
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.workspaces import queries, service
from app.workspaces.auth import Admin, AdminActor
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

router = APIRouter(
    prefix="/api/v1",
    tags=["workspace"],
    responses=problem_responses(400, 401, 403, 404, 422),
)


@router.get("/workspace")
def get_workspace(session: ReadSessionDep, caller: Admin) -> WorkspaceOut:
    """Show the workspace of this key."""
    workspace = queries.get_workspace(session, caller.workspace_id)
    return WorkspaceOut.model_validate(workspace)


@router.patch("/workspace", responses=problem_responses(409))
def update_workspace(body: WorkspacePatch, session: SessionDep, change: AdminActor) -> WorkspaceOut:
    """Change what is sent."""
    said = body.model_dump(exclude_unset=True, mode="json")
    return WorkspaceOut.model_validate(service.update_workspace(session, change, said))


@router.get("/api-keys")
def list_api_keys(session: ReadSessionDep, caller: Admin, paging: PagingDep) -> Page[ApiKeyOut]:
    """List keys, oldest first; their texts are stored nowhere."""
    rows = queries.list_keys(
        session, caller.workspace_id, after=paging.after(str), limit=paging.fetch_limit
    )
    return paging.page(rows, ApiKeyOut.model_validate, lambda key: key.id)


@router.post("/api-keys", status_code=201)
def create_api_key(body: ApiKeyIn, session: SessionDep, change: AdminActor) -> NewApiKeyOut:
    """Make a key. Its text is in this answer and nowhere else."""
    seconds = body.expires_in_seconds
    ends = None if seconds is None else change.at + timedelta(seconds=seconds)
    key = service.create_key(session, change, name=body.name, scopes=body.scopes, expires_at=ends)
    return _with_text(session, change, key)


@router.post("/api-keys/{key_id}/rotate", status_code=201, responses=problem_responses(409))
def rotate_api_key(
    key_id: Id, session: SessionDep, change: AdminActor, body: ApiKeyRotation = DEFAULT_ROTATION
) -> NewApiKeyOut:
    """Make a successor with the same scopes; the old key works on for a while."""
    key = service.get_key(session, change.workspace_id, key_id, lock=True)
    overlap = timedelta(seconds=body.overlap_seconds)
    return _with_text(session, change, service.rotate_key(session, change, key, overlap=overlap))


@router.post("/api-keys/{key_id}/revoke", responses=problem_responses(409))
def revoke_api_key(key_id: Id, session: SessionDep, caller: Admin, change: AdminActor) -> ApiKeyOut:
    """End a key at once. A key cannot end itself: use another."""
    key = service.get_key(session, caller.workspace_id, key_id, lock=True)
    if key.id == caller.key_id:
        raise ConflictError("A key cannot revoke itself; use another one.", code="own_key")
    service.revoke_key(session, change, key)
    return ApiKeyOut.model_validate(key)


@router.get("/audit-entries")
def list_audit_entries(
    session: ReadSessionDep, caller: Admin, paging: PagingDep
) -> Page[AuditEntryOut]:
    """List who changed what, newest first."""
    found = queries.list_audit_entries(session, caller.workspace_id, paging)
    return found.to_page(AuditEntryOut.model_validate)


def _with_text(session: Session, change: Actor, key: NewKey) -> NewApiKeyOut:
    stored = service.get_key(session, change.workspace_id, key.id)
    known = ApiKeyOut.model_validate(stored).model_dump()
    return NewApiKeyOut(**known, key=key.text)
