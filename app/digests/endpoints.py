"""Routes of digests."""

from fastapi import APIRouter

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.routes import DeclaredRoute
from app.core.languages import Language
from app.core.pagination import Page
from app.core.query_helpers import get_row
from app.core.schemas import Id, problem_responses
from app.digests import service
from app.digests.schedule import next_time
from app.digests.schemas import DigestIn, DigestOut, DigestPreview
from app.digests.tables import Digest
from app.workspaces.auth import AccountActor, Reader
from app.workspaces.resources import RowListDep, RowsDep, delete_row, put_row

router = APIRouter(
    prefix="/api/v1",
    tags=["collaboration"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=DeclaredRoute,
)


@router.put("/digests/{owner}", summary="Create or replace a digest")
def put_digest(owner: Id, body: DigestIn, session: SessionDep, actor: AccountActor) -> DigestOut:
    """Set when the owner of accounts gets a digest of what needs something, and what moved.

    It is the message `owner.digested`, which endpoints such as Slack receive. On a quiet day none
    is sent.
    """
    columns = body.columns()
    due = next_time(actor.at, at=body.at, zone=body.zone, weekday=columns["weekday"])
    row, _, _ = put_row(session, actor, Digest, owner, columns, initial={"next_at": due})
    row.next_at = due
    return DigestOut.model_validate(row)


@router.get("/digests/{owner}", summary="Get a digest")
def get_digest(owner: Id, rows: RowsDep) -> DigestOut:
    """Return when the owner gets a digest."""
    return rows.get(Digest, DigestOut, owner)


@router.get("/digests", summary="List digests")
def list_digests(rows: RowListDep) -> Page[DigestOut]:
    """List digests by owner."""
    return rows.page(Digest, DigestOut)


@router.delete("/digests/{owner}", status_code=204, summary="Delete a digest")
def delete_digest(owner: Id, session: SessionDep, actor: AccountActor) -> None:
    """Send no more digests to the owner."""
    delete_row(session, actor, Digest, owner)


@router.get("/digests/{owner}/preview", summary="Preview a digest")
def preview_digest(owner: Id, session: ReadSessionDep, caller: Reader, now: Now) -> DigestPreview:
    """Return the digest that the owner would get now, as plain text in its language."""
    row = get_row(session, Digest, (caller.workspace_id, owner))
    content = service.compose_digest(
        session, caller.workspace_id, owner, now=now, language=Language(row.language)
    )
    return DigestPreview(quiet=content is None, text=content.text if content else "")
