"""Endpoints of restatements."""

from fastapi import APIRouter

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.health.restatements import queries, restate
from app.health.restatements.schemas import RestatementIn, RestatementOut
from app.health.versions.schemas import ScorecardVersion
from app.workspaces.auth import AdminActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["scorecards"], responses=problem_responses(400, 401, 403, 404, 422)
)


@router.post(
    "/scorecards/{version}/restate",
    status_code=202,
    responses=problem_responses(409),
    summary="Restate the score history",
)
def restate_history(
    version: ScorecardVersion, body: RestatementIn, session: SessionDep, actor: AdminActor
) -> RestatementOut:
    """Score past days again under the active version, from usage as it was known on each day.

    A job does the work. The original rows stay: `original=true` returns them in the history. Each
    call creates another restatement.
    """
    row = restate.request_restatement(session, actor, version, since=body.since, until=body.until)
    return RestatementOut.model_validate(row)


@router.get("/restatements", summary="List restatements")
def list_restatements(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[RestatementOut]:
    """List restatements, newest first."""
    page = queries.list_restatements(session, caller.workspace_id, paging)
    return page.to_page(RestatementOut.model_validate)
