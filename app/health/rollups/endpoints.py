"""Rolled-up scores and child accounts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.accounts.hierarchy import Rollup
from app.accounts.queries import get_account
from app.core.db import ReadSessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, ResponseModel, problem_responses
from app.health.definition.scorecard import Band
from app.health.rollups import queries
from app.health.rollups.rollup import RollupOut
from app.health.scoring.assess import MRR_CENTS, HealthStatus, PriceStatus
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1/accounts",
    tags=["health"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)

Method = Annotated[
    Rollup | None,
    Query(description="How to combine the scores. Default: the method of the account."),
]


class AccountRollupOut(RollupOut):
    """The rolled-up score of an account."""

    account_id: str = Field(examples=["acme-holding"])


class ChildAccountOut(ResponseModel):
    """An account directly below another account."""

    account_id: str = Field(examples=["acme-north"])
    name: str | None = Field(examples=["Acme North"])
    segment: str | None = Field(examples=["smb"])
    owner: str | None = Field(examples=["kim@example.com"])
    plan: str | None = Field(examples=["team"])
    mrr_cents: int | None = MRR_CENTS
    price_status: PriceStatus | None
    value: Annotated[float | None, Field(validation_alias="score", examples=[61.5])]
    band: Band
    status: HealthStatus
    has_children: bool


@router.get("/{account_id}/rollup", summary="Get the rolled-up score of an account")
def get_account_rollup(
    account_id: Id, session: ReadSessionDep, caller: Reader, method: Method = None
) -> AccountRollupOut:
    """Combine the scores of an account and of all accounts below it into one score.

    The score is computed on request from the newest scores.
    """
    result = queries.roll_up_account(session, caller.workspace_id, account_id, method)
    return AccountRollupOut(account_id=account_id, **dict(result))


@router.get("/{account_id}/children", summary="List the child accounts of an account")
def list_child_accounts(
    account_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ChildAccountOut]:
    """List the accounts directly below an account with their scores, by account id."""
    get_account(session, caller.workspace_id, account_id)
    page = queries.list_children(session, caller.workspace_id, account_id, paging)
    return page.to_page(ChildAccountOut.model_validate)
