"""Reading the churn risk of an account, and how it came to be."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.accounts.queries import get
from app.accounts.tables import Account
from app.churn.scoring import risk_queries
from app.churn.scoring.risk_schemas import ChurnRiskHistoryOut, ChurnRiskOut
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.language import LanguageDep
from app.core.languages import Language
from app.core.pagination import PagingDep
from app.core.schemas import Day, Id, problem_responses
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["churn"])


@router.get("/accounts/{account_id}/churn-risk", responses=problem_responses(401, 403, 404, 422))
def get_churn_risk(
    session: ReadSessionDep, caller: Reader, language: LanguageDep, account_id: Id
) -> ChurnRiskOut:
    """Say how likely an account is to leave within the horizon, and what goes with that.

    Where too few accounts have left to learn from, rules give a level and a rank, and no
    probability is claimed.
    """
    get(session, caller.workspace_id, Account, account_id)
    return load_churn_risk(session, caller.workspace_id, account_id, language)


def load_churn_risk(
    session: Session, workspace_id: str, account_id: str, language: Language = Language.EN
) -> ChurnRiskOut:
    row = risk_queries.load_risks(session, workspace_id, [account_id]).get(account_id)
    found = ChurnRiskOut.of(account_id, row, language)
    if row is not None and row.risk is not None:
        found.rank, found.ranked_accounts = risk_queries.load_rank(session, workspace_id, row.risk)
    return found


@router.get(
    "/accounts/{account_id}/churn-risk/history", responses=problem_responses(401, 403, 404, 422)
)
def get_churn_risk_history(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    account_id: Id,
    since: Annotated[Day | None, Query(description="90 days ago by default.")] = None,
    until: Annotated[Day | None, Query(description="Today by default.")] = None,
) -> ChurnRiskHistoryOut:
    """Tell what the risk was on the days on which it moved, oldest first."""
    until = until or now.date()
    since = since or until - timedelta(days=min(90, until.toordinal() - 1))
    get(session, caller.workspace_id, Account, account_id)
    found = risk_queries.list_history(
        session, caller.workspace_id, account_id, paging, since=since, until=until
    )
    items = [ChurnRiskOut.of(account_id, row, language) for row in found.rows]
    return ChurnRiskHistoryOut(account_id=account_id, items=items, next_cursor=found.next_cursor)
