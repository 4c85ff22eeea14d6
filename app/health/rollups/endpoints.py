"""Families of accounts over HTTP."""

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

Method = Annotated[Rollup | None, Query(description="The account's own if left out.")]


@router.get("/{account_id}/rollup")
def get_account_rollup(
    account_id: Id, session: ReadSessionDep, caller: Reader, method: Method = None
) -> AccountRollupOut:
    """Make one score of an account's own and those of all accounts below it."""
    found = roll_up_account(session, caller.workspace_id, account_id, method)
    return AccountRollupOut.of(account_id, found)


@router.get("/{account_id}/children")
def list_child_accounts(
    account_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ChildAccountOut]:
    """List the accounts right below one with their scores, by id."""
    get_account(session, caller.workspace_id, account_id)
    found = queries.list_children(session, caller.workspace_id, account_id, paging)
    return found.to_page(ChildAccountOut.model_validate)
