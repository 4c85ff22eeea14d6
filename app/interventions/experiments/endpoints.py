"""Routes of experiments."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.interventions.experiments import queries, service
from app.interventions.experiments.design import ExperimentDesign
from app.interventions.experiments.schemas import (
    ExperimentOut,
    ExperimentResultsOut,
    RollOutIn,
)
from app.workspaces.auth import AdminActor, Reader
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1/experiments",
    tags=["experiments"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)

ExperimentId = Annotated[str, Path(max_length=255)]
MAX_CONTAMINATED = 1000


@router.get("", summary="List experiments")
def list_experiments(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    state: Literal["running", "stopped", "rolled_out"] | None = None,
) -> Page[ExperimentOut]:
    """List experiments, newest first."""
    page = queries.list_experiments(session, caller.workspace_id, paging, state=state)
    return page.to_page(ExperimentOut.from_experiment)


@router.post("", status_code=201, responses=problem_responses(409), summary="Start an experiment")
def start_experiment(
    body: ExperimentDesign, session: SessionDep, actor: AdminActor
) -> ExperimentOut:
    """Hold a playbook back from a control group, or try versions of it.

    A playbook has at most one running experiment.
    """
    return ExperimentOut.from_experiment(service.start(session, actor, body))


@router.get("/{experiment_id}", summary="Get an experiment")
def get_experiment(
    experiment_id: ExperimentId, session: ReadSessionDep, caller: Reader
) -> ExperimentOut:
    """Return an experiment of any state."""
    row = queries.get_experiment(session, caller.workspace_id, experiment_id)
    return ExperimentOut.from_experiment(row)


@router.get("/{experiment_id}/results", summary="Get the results of an experiment")
def get_experiment_results(
    experiment_id: ExperimentId, session: SessionDep, caller: Reader
) -> ExperimentResultsOut:
    """Return what the experiment shows so far, and accounts with another treatment than their arm.

    The intervals stay valid however often the results are read.
    """
    row = queries.get_experiment(session, caller.workspace_id, experiment_id)
    contaminated = queries.list_contaminated(
        session, caller.workspace_id, experiment_id, limit=MAX_CONTAMINATED
    )
    return ExperimentResultsOut.from_results(service.get_results(session, row), contaminated)


@router.post("/{experiment_id}/stop", summary="Stop an experiment")
def stop_experiment(
    experiment_id: ExperimentId, session: SessionDep, actor: AdminActor
) -> ExperimentOut:
    """End an experiment; no account is held back any more. Repeating it changes nothing."""
    return ExperimentOut.from_experiment(service.stop(session, actor, experiment_id))


@router.post(
    "/{experiment_id}/roll-out",
    responses=problem_responses(409),
    summary="Roll out the winner of an experiment",
)
def roll_out_experiment(
    experiment_id: ExperimentId,
    session: SessionDep,
    actor: AdminActor,
    body: RollOutIn | None = None,
) -> ExperimentOut:
    """Make the winner's version the playbook of all accounts, and end the experiment.

    Name an `arm` to roll out another treated arm than the winner.
    """
    arm = body.arm if body else None
    return ExperimentOut.from_experiment(service.roll_out(session, actor, experiment_id, arm=arm))
