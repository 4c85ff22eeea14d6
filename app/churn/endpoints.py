"""Churn models over HTTP: train, list, promote and roll back."""

from typing import Annotated

from fastapi import APIRouter, Path

from app.churn.registry import model_queries, model_service
from app.churn.schemas import (
    ChurnModelCard,
    ChurnModelOut,
    ChurnModelRollbackOut,
)
from app.churn.training.job import enqueue_training
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.jobs.schemas import JobOut
from app.workspaces.auth import AdminActor, Reader
from app.workspaces.idempotency import IdempotentRoute

models_router = APIRouter(
    prefix="/api/v1",
    tags=["churn models"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)

Version = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="The version of the model.", examples=[3])
]


@models_router.post("/churn-models", status_code=202, summary="Train a churn model")
def train_churn_model(session: SessionDep, actor: AdminActor) -> JobOut:
    """Enqueue a training, and return its job. A worker trains in the background.

    If a training is queued or running, its job is returned and nothing is enqueued. The new model
    becomes active if it passes the promotion checks on unseen time; otherwise it is stored as a
    `shadow`.
    """
    return JobOut.model_validate(enqueue_training(session, actor))


@models_router.get("/churn-models", summary="List churn models")
def list_churn_models(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ChurnModelOut]:
    """List models, newest first. Without an active model churn risk uses the rules."""
    models = model_queries.list_models(session, caller.workspace_id, paging)
    return models.to_page(ChurnModelOut.model_validate)


@models_router.get("/churn-models/{version}", summary="Get a churn model with its card")
def get_churn_model(version: Version, session: ReadSessionDep, caller: Reader) -> ChurnModelCard:
    """Return a model with its card: what it learnt from and how good it is."""
    model = model_queries.get_model(session, caller.workspace_id, version)
    return ChurnModelCard.model_validate(model)


@models_router.post(
    "/churn-models/{version}/promote",
    summary="Promote a churn model",
    responses=problem_responses(409),
)
def promote_churn_model(version: Version, session: SessionDep, actor: AdminActor) -> ChurnModelOut:
    """Make a model the active one, whatever its checks say, and score all accounts again.

    Sends `model.activated`. Promoting the active model changes nothing. 409: this service cannot
    use the stored model.
    """
    return ChurnModelOut.model_validate(model_service.promote(session, actor, version))


@models_router.post(
    "/churn-models/rollback",
    summary="Roll back the active churn model",
    responses=problem_responses(409),
)
def roll_back_churn_model(session: SessionDep, actor: AdminActor) -> ChurnModelRollbackOut:
    """Take the active model out of service and score all accounts again.

    The model that was active before becomes active again; without one churn risk uses the rules.
    409: no model is active.
    """
    row = model_service.roll_back(session, actor)
    active = None if row is None else ChurnModelOut.model_validate(row)
    return ChurnModelRollbackOut(active=active)
