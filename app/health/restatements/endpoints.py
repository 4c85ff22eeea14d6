"""Endpoints of restatements."""

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import Field

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Day, RequestModel, ResponseModel, problem_responses
from app.health.restatements import queries, restate
from app.health.schemas import ScorecardVersion
from app.workspaces.auth import AdminActor, Reader
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1",
    tags=["scorecards"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)


class RestatementIn(RequestModel):
    """The days to score again."""

    since: Day = Field(description="First day.", examples=["2026-01-01"])
    until: Day = Field(description="Last day; before today.", examples=["2026-03-31"])


class RestatementOut(ResponseModel):
    """A request to score past days again. Its job shows the progress."""

    number: int = Field(examples=[1])
    scorecard_version: int = Field(examples=[2])
    since: date = Field(examples=["2026-01-01"])
    until: date = Field(examples=["2026-03-31"])
    job_id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    created_at: datetime = Field(examples=["2026-04-01T09:00:00Z"])
    created_by: str = Field(examples=["key:k_1"])


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
