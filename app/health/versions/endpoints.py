"""Endpoints of scorecard versions."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep, RowPage
from app.core.schemas import ResponseModel, problem_responses
from app.health.definition import scorecard_queries
from app.health.definition.scorecard import Scorecard
from app.health.schemas import ScorecardVersion
from app.health.versions import service, simulation_service
from app.health.versions.prediction import (
    PredictionChangeOut,
    ScorePredictionOut,
    compare_predictions,
    find_predictions,
)
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

    model_config = ConfigDict(populate_by_name=True)

    version: int = Field(examples=[2])
    state: ScorecardState
    scorecard: Annotated[Scorecard, Field(validation_alias="config")]
    created_at: datetime = Field(examples=["2026-03-01T09:00:00Z"])
    created_by: str = Field(examples=["key:k_1"])
    activated_at: datetime | None = Field(examples=["2026-03-02T09:00:00Z"])
    activated_by: str | None = Field(examples=["key:k_1"])
    retired_at: datetime | None = Field(examples=[None])


class ScorecardDetailOut(ScorecardOut):
    """A version, with what its scores are worth as a prediction of churn."""

    prediction: ScorePredictionOut


class ScorecardSimulationOut(SimulationOut):
    """What would change today, and what the scores of past days would have predicted."""

    prediction: PredictionChangeOut


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
) -> ScorecardDetailOut:
    """Return one version of the scorecard, and how well its scores predict churn.

    The prediction is that of the newest backtest of the version over all observation days. The
    active version and the newest draft are tested without a request.
    """
    row = service.find_built_in(session, caller.workspace_id) if version == 1 else None
    row = row or scorecard_queries.get_scorecard(session, caller.workspace_id, version)
    out = ScorecardOut.model_validate(row)
    [prediction] = find_predictions(session, caller.workspace_id, version)
    return ScorecardDetailOut(**dict(out), prediction=prediction)


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
) -> ScorecardSimulationOut:
    """Compare today's scores under this version with those under the active one.

    `prediction` compares what they would have predicted, by the newest backtest of both.

    Scores, history and the active version stay as they are. Overrides and silent event sources are
    ignored on both sides.
    """
    simulated = simulation_service.simulate(session, caller.workspace_id, version, now=now)
    prediction = compare_predictions(session, caller.workspace_id, version)
    return ScorecardSimulationOut(**dict(simulated), prediction=prediction)


@router.post("/scorecards/{version}/activate", summary="Activate a scorecard version")
def activate_scorecard(
    version: ScorecardVersion, session: SessionDep, actor: AdminActor
) -> ScorecardOut:
    """Make a version the active one. All accounts are scored again within seconds.

    The history stays as it is. A retired version can be activated again; activating the active
    version changes nothing.
    """
    return ScorecardOut.model_validate(service.activate(session, actor, version))
