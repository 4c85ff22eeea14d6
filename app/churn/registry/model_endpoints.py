"""Trained models of churn over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path

from app.churn.registry import model_queries, model_service
from app.churn.registry.model_schemas import ChurnModelCard, ChurnModelOut, ChurnModelRollbackOut
from app.churn.training import job
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.jobs.schemas import JobOut
from app.workspaces.auth import AdminActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["churn models"], responses=problem_responses(400, 401, 403, 404, 422)
)

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/churn-models", status_code=202)
def train_churn_model(session: SessionDep, change: AdminActor) -> JobOut:
    """Have a model trained by a worker. One that is waiting or under way is the same job.

    It takes over by itself if it has earned that on unseen time; else it is kept as a shadow.
    """
    return JobOut.model_validate(job.enqueue_training(session, change))


@router.get("/churn-models")
def list_churn_models(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ChurnModelOut]:
    """List models, newest first. None active: risk is told by the rules."""
    found = model_queries.list_models(session, caller.workspace_id, paging)
    return found.to_page(ChurnModelOut.model_validate)


@router.get("/churn-models/{version}")
def get_churn_model(version: Version, session: ReadSessionDep, caller: Reader) -> ChurnModelCard:
    """Show a model with its card."""
    return ChurnModelCard.model_validate(
        model_queries.get_model(session, caller.workspace_id, version)
    )


@router.post("/churn-models/{version}/promote", responses=problem_responses(409))
def promote_churn_model(version: Version, session: SessionDep, change: AdminActor) -> ChurnModelOut:
    """Let a model tell the risk from now on, whatever its checks say. All are scored again."""
    return ChurnModelOut.model_validate(model_service.promote(session, change, version))


@router.post("/churn-models/rollback", responses=problem_responses(409))
def roll_back_churn_model(session: SessionDep, change: AdminActor) -> ChurnModelRollbackOut:
    """Take the active model out of service; the one before it holds again, else the rules."""
    row = model_service.roll_back(session, change)
    return ChurnModelRollbackOut(active=None if row is None else ChurnModelOut.model_validate(row))
