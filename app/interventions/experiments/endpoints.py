"""Experiments over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.interventions.experiments import queries, service
from app.interventions.experiments.design import ExperimentDesign
from app.interventions.schemas import ExperimentOut, ExperimentResultsOut, RollOutIn
from app.workspaces.auth import AdminActor, Reader

router = APIRouter(
    prefix="/api/v1/experiments",
    tags=["experiments"],
    responses=problem_responses(400, 401, 403, 404, 422),
)

ExperimentId = Annotated[str, Path(max_length=255)]
MOST_CONTAMINATED = 1000


@router.get("")
def list_experiments(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    state: Literal["running", "stopped", "rolled_out"] | None = None,
) -> Page[ExperimentOut]:
    """List experiments, newest first."""
    found = queries.list_experiments(session, caller.workspace_id, paging, state=state)
    return found.to_page(ExperimentOut.of)


@router.post("", status_code=201, responses=problem_responses(409))
def start_experiment(
    body: ExperimentDesign, session: SessionDep, change: AdminActor
) -> ExperimentOut:
    """Begin to hold a playbook back from some accounts, or to try versions of it."""
    return ExperimentOut.of(service.start(session, change, body))


@router.get("/{experiment_id}")
def get_experiment(
    experiment_id: ExperimentId, session: ReadSessionDep, caller: Reader
) -> ExperimentOut:
    """Show an experiment."""
    return ExperimentOut.of(queries.get_experiment(session, caller.workspace_id, experiment_id))


@router.get("/{experiment_id}/results")
def get_experiment_results(
    experiment_id: ExperimentId, session: SessionDep, caller: Reader
) -> ExperimentResultsOut:
    """Say what it shows so far, and who got something else than the arm says."""
    row = queries.get_experiment(session, caller.workspace_id, experiment_id)
    astray = queries.list_contaminated(
        session, caller.workspace_id, experiment_id, limit=MOST_CONTAMINATED
    )
    return ExperimentResultsOut.of(service.get_results(session, row), astray)


@router.post("/{experiment_id}/stop")
def stop_experiment(
    experiment_id: ExperimentId, session: SessionDep, change: AdminActor
) -> ExperimentOut:
    """End it; nobody is held back any more."""
    return ExperimentOut.of(service.stop(session, change, experiment_id))


@router.post("/{experiment_id}/roll-out", responses=problem_responses(409))
def roll_out_experiment(
    experiment_id: ExperimentId,
    session: SessionDep,
    change: AdminActor,
    body: RollOutIn | None = None,
) -> ExperimentOut:
    """Let the winner's version of the playbook hold for all, and end the experiment."""
    return ExperimentOut.of(
        service.roll_out(session, change, experiment_id, arm=body.arm if body else None)
    )
