"""Rolled-up scores and child accounts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts.hierarchy import Rollup
from app.accounts.queries import get_account
from app.core.db import ReadSessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.health.rollups import queries
from app.health.rollups.schemas import AccountRollupOut, ChildAccountOut
from app.health.rollups.service import roll_up_account
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1/accounts", tags=["health"], responses=problem_responses(401, 403, 404, 422)
)

Method = Annotated[
    Rollup | None,
    Query(description="How to combine the scores. Default: the method of the account."),
]


@router.get("/{account_id}/rollup", summary="Get the rolled-up score of an account")
def get_account_rollup(
    account_id: Id, session: ReadSessionDep, caller: Reader, method: Method = None
) -> AccountRollupOut:
    """Combine the scores of an account and of all accounts below it into one score.

    The score is computed on request from the newest scores.
    """
    result = roll_up_account(session, caller.workspace_id, account_id, method)
    return AccountRollupOut.from_result(account_id, result)


@router.get("/{account_id}/children", summary="List the child accounts of an account")
def list_child_accounts(
    account_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ChildAccountOut]:
    """List the accounts directly below an account with their scores, by account id."""
    get_account(session, caller.workspace_id, account_id)
    page = queries.list_children(session, caller.workspace_id, account_id, paging)
    return page.to_page(ChildAccountOut.model_validate)
