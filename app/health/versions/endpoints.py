"""Endpoints of scorecard versions."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep, RowPage
from app.core.schemas import ResponseModel, problem_responses
from app.health.definition import scorecard_queries
from app.health.definition.scorecard import Scorecard
from app.health.schemas import ScorecardVersion
from app.health.versions import service, simulation_service
from app.health.versions.simulation import SimulationOut
from app.workspaces.auth import AdminActor, Reader
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1",
    tags=["scorecards"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)


ScorecardState = Literal["draft", "active", "retired"]


class ScorecardOut(ResponseModel):
    """One immutable version of the scorecard."""

    version: int = Field(examples=[2])
    state: ScorecardState
    scorecard: Annotated[Scorecard, Field(validation_alias="config")]
    created_at: datetime = Field(examples=["2026-03-01T09:00:00Z"])
    created_by: str = Field(examples=["key:k_1"])
    activated_at: datetime | None = Field(examples=["2026-03-02T09:00:00Z"])
    activated_by: str | None = Field(examples=["key:k_1"])
    retired_at: datetime | None = Field(examples=[None])


@router.post("/scorecards", status_code=201, summary="Draft a scorecard version")
def draft_scorecard(body: Scorecard, session: SessionDep, actor: AdminActor) -> ScorecardOut:
    """Store a new version as a draft. It scores no account until it is activated.

    A version never changes; each call creates another one.
    """
    return ScorecardOut.model_validate(service.draft(session, actor, body))


@router.get("/scorecards", summary="List scorecard versions")
def list_scorecards(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ScorecardOut]:
    """List versions, newest first. Version 1 is built in. Discarded drafts are left out."""
    page = scorecard_queries.list_scorecards(session, caller.workspace_id, paging)
    if not page.rows and paging.cursor is None:
        built_in = service.find_built_in(session, caller.workspace_id)
        page = RowPage([built_in] if built_in else [], None)
    return page.to_page(ScorecardOut.model_validate)


@router.get("/scorecards/{version}", summary="Get a scorecard version")
def get_scorecard(
    version: ScorecardVersion, session: ReadSessionDep, caller: Reader
) -> ScorecardOut:
    """Return one version of the scorecard."""
    row = service.find_built_in(session, caller.workspace_id) if version == 1 else None
    row = row or scorecard_queries.get_scorecard(session, caller.workspace_id, version)
    return ScorecardOut.model_validate(row)


@router.delete(
    "/scorecards/{version}",
    status_code=204,
    responses=problem_responses(409),
    summary="Discard a draft",
)
def discard_scorecard(version: ScorecardVersion, session: SessionDep, actor: AdminActor) -> None:
    """Discard a draft. Its number is not used again. Other versions cannot be discarded."""
    service.discard(session, actor, version)


@router.post("/scorecards/{version}/simulate", summary="Simulate a scorecard version")
def simulate_scorecard(
    version: ScorecardVersion, session: SessionDep, caller: Reader, now: Now
) -> SimulationOut:
    """Compare today's scores under this version with those under the active one.

    Scores, history and the active version stay as they are. Overrides and silent event sources are
    ignored on both sides.
    """
    return simulation_service.simulate(session, caller.workspace_id, version, now=now)


@router.post("/scorecards/{version}/activate", summary="Activate a scorecard version")
def activate_scorecard(
    version: ScorecardVersion, session: SessionDep, actor: AdminActor
) -> ScorecardOut:
    """Make a version the active one. All accounts are scored again within seconds.

    The history stays as it is. A retired version can be activated again; activating the active
    version changes nothing.
    """
    return ScorecardOut.model_validate(service.activate(session, actor, version))
