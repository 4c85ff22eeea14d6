"""History told anew under the scorecard that holds."""

from fastapi import APIRouter

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.health.restatements import queries, restate
from app.health.versions.endpoints import ScorecardVersion
from app.health.versions.schemas import RestateIn, RestatementOut
from app.workspaces.auth import AdminActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["scorecards"], responses=problem_responses(400, 401, 403, 404, 422)
)


@router.post("/scorecards/{version}/restate", status_code=202, responses=problem_responses(409))
def restate_history(
    version: ScorecardVersion, body: RestateIn, session: SessionDep, change: AdminActor
) -> RestatementOut:
    """Score closed days again under the active version, from usage as it was known on each day.

    A job does it. Rows of the past stay: `original=true` shows them in the history.
    """
    row = restate.request_restatement(session, change, version, since=body.since, until=body.until)
    return RestatementOut.model_validate(row)


@router.get("/restatements")
def list_restatements(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[RestatementOut]:
    """List which days were told anew, newest first."""
    found = queries.list_restatements(session, caller.workspace_id, paging)
    return found.to_page(RestatementOut.model_validate)
