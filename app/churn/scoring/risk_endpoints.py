"""Churn risk over HTTP: the newest risk of an account, and its history."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts.queries import get
from app.accounts.tables import Account
from app.churn.scoring import risk_queries
from app.churn.scoring.risk_schemas import ChurnRiskHistoryOut, ChurnRiskOut
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.language import LanguageDep
from app.core.pagination import PagingDep
from app.core.schemas import Day, Id, problem_responses
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["churn"])

DEFAULT_DAYS = 90


@router.get(
    "/accounts/{account_id}/churn-risk",
    summary="Get the churn risk of an account",
    responses=problem_responses(401, 403, 404, 422),
)
def get_churn_risk(
    session: ReadSessionDep, caller: Reader, language: LanguageDep, account_id: Id
) -> ChurnRiskOut:
    """Return how likely an account is to churn within the horizon, and the drivers of the risk.

    If too few accounts of the workspace have churned to train a model, rules give a level and a
    rank, and `probability` is null.
    """
    workspace_id = caller.workspace_id
    get(session, workspace_id, Account, account_id)
    row = risk_queries.load_risks(session, workspace_id, [account_id]).get(account_id)
    out = ChurnRiskOut.for_account(account_id, row, language)
    if row is not None and row.risk is not None:
        out.rank, out.ranked_accounts = risk_queries.load_rank(session, workspace_id, row.risk)
    return out


@router.get(
    "/accounts/{account_id}/churn-risk/history",
    summary="List the churn risk history of an account",
    responses=problem_responses(401, 403, 404, 422),
)
def list_churn_risk_history(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    account_id: Id,
    since: Annotated[
        Day | None,
        Query(description="The first day; 90 days before `until` by default."),
    ] = None,
    until: Annotated[Day | None, Query(description="The last day; today by default.")] = None,
) -> ChurnRiskHistoryOut:
    """Return the churn risk of an account on the days on which it moved, oldest first."""
    until = until or now.date()
    since = since or until - timedelta(days=min(DEFAULT_DAYS, until.toordinal() - 1))
    get(session, caller.workspace_id, Account, account_id)
    page = risk_queries.list_history(
        session, caller.workspace_id, account_id, paging, since=since, until=until
    )
    items = [ChurnRiskOut.for_account(account_id, row, language) for row in page.rows]
    return ChurnRiskHistoryOut(account_id=account_id, items=items, next_cursor=page.next_cursor)
