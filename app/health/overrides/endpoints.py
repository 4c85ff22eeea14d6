"""Endpoints of overrides."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import RequestModel, ResponseModel, Text, Timestamp, problem_responses
from app.health.overrides import queries, service
from app.health.schemas import AccountId
from app.health.scoring import queries as scoring_queries
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["health"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=DeclaredRoute,
)


class OverrideIn(RequestModel):
    """A value that replaces the score, and until when."""

    value: float = Field(ge=0, le=100, allow_inf_nan=False, examples=[80])
    reason: Text = Field(examples=["They signed for two more years yesterday."])
    expires_at: Timestamp = Field(
        description="In the future, at most 366 days ahead.", examples=["2026-06-30T00:00:00Z"]
    )
    author: Text | None = Field(
        None, description="The person who decided; null: the API key.", examples=["kim@example.com"]
    )


class OverrideOut(ResponseModel):
    """A value that replaces the score of an account."""

    account_id: str = Field(examples=["acme"])
    value: float = Field(examples=[80.0])
    reason: str = Field(examples=["They signed for two more years yesterday."])
    author: str = Field(examples=["kim@example.com"])
    created_at: datetime = Field(examples=["2026-03-01T09:00:00Z"])
    expires_at: datetime = Field(examples=["2026-06-30T00:00:00Z"])
    ended_at: datetime | None = Field(examples=[None])
    ended_by: str | None = Field(
        description="API key that ended it; `expiry` if it expired.", examples=["expiry"]
    )


class DisagreementOut(OverrideOut):
    """An override and the score computed now without it."""

    name: str | None = Field(description="Name of the account.", examples=["Acme Ltd"])
    machine_value: float | None = Field(description="The computed score.", examples=[31.2])
    difference: float | None = Field(description="value - machine_value.", examples=[48.8])


@router.put(
    "/accounts/{account_id}/health/override",
    responses=problem_responses(409),
    summary="Override a health score",
)
def put_override(
    account_id: AccountId, body: OverrideIn, session: SessionDep, actor: AccountActor
) -> OverrideOut:
    """Replace the score of an account by a person's value until it expires.

    The computed score is returned beside it in `machine`. A new override ends the previous one;
    repeating the same override changes nothing. The account is scored again at once.
    """
    scoring_queries.get_account_health(session, actor.workspace_id, account_id)
    row = service.put_override(
        session,
        actor,
        account_id,
        value=body.value,
        reason=body.reason,
        author=body.author or actor.name,
        expires_at=body.expires_at,
    )
    return OverrideOut.model_validate(row)


@router.delete("/accounts/{account_id}/health/override", status_code=204, summary="End an override")
def end_override(account_id: AccountId, session: SessionDep, actor: AccountActor) -> None:
    """End the running override of an account and return to the computed score at once."""
    service.end_override(session, actor, account_id)


@router.get("/health-overrides", summary="List overrides")
def list_overrides(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    running: Annotated[
        bool, Query(description="Only overrides in effect; `false` includes ended ones.")
    ] = True,
) -> Page[DisagreementOut]:
    """List overrides with the score computed now, largest difference first."""
    page = queries.list_overrides(session, caller.workspace_id, paging, running=running, now=now)
    return page.to_page(
        lambda row: DisagreementOut.from_row(
            row[0], name=row[1], machine_value=row[2], difference=row[3]
        )
    )
