"""Reading the churn risk of an account, and how it came to be."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query
from sqlalchemy.orm import Session

from app.accounts.queries import get
from app.accounts.tables import Account
from app.churn import risk_queries
from app.churn.risk_schemas import ChurnRiskHistoryOut, ChurnRiskOut
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.languages import Language, preferred
from app.core.pagination import PagingDep
from app.core.schemas import Day, Id, responses
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["churn"])

Lang = Annotated[Language | None, Query(description="Else by `Accept-Language`.")]
Accepted = Annotated[str, Header(max_length=1000)]


@router.get("/accounts/{account_id}/churn-risk", responses=responses(401, 403, 404, 422))
def get_churn_risk(
    session: ReadSessionDep,
    caller: Reader,
    account_id: Id,
    lang: Lang = None,
    accept_language: Accepted = "",
) -> ChurnRiskOut:
    """Say how likely an account is to leave within the horizon, and what goes with that.

    Where too few accounts have left to learn from, rules give a level and a rank, and no
    probability is claimed.
    """
    get(session, caller.workspace_id, Account, account_id)
    language = lang or preferred(accept_language)
    return churn_risk(session, caller.workspace_id, account_id, language)


def churn_risk(
    session: Session, workspace_id: str, account_id: str, language: Language = Language.EN
) -> ChurnRiskOut:
    row = risk_queries.risks(session, workspace_id, [account_id]).get(account_id)
    found = ChurnRiskOut.of(account_id, row, language)
    if row is not None and row.risk is not None:
        found.rank, found.ranked_accounts = risk_queries.rank(session, workspace_id, row.risk)
    return found


@router.get("/accounts/{account_id}/churn-risk/history", responses=responses(401, 403, 404, 422))
def get_churn_risk_history(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    account_id: Id,
    since: Annotated[Day | None, Query(description="90 days ago by default.")] = None,
    until: Annotated[Day | None, Query(description="Today by default.")] = None,
    lang: Lang = None,
    accept_language: Accepted = "",
) -> ChurnRiskHistoryOut:
    """Tell what the risk was on the days on which it moved, oldest first."""
    until = until or now.date()
    since = since or until - timedelta(days=min(90, until.toordinal() - 1))
    get(session, caller.workspace_id, Account, account_id)
    language = lang or preferred(accept_language)
    rows = risk_queries.history(
        session,
        caller.workspace_id,
        account_id,
        since=since,
        until=until,
        after=paging.after(date),
        limit=paging.fetch,
    )
    kept, next_cursor = paging.cut(rows, lambda row: row.as_of)
    items = [ChurnRiskOut.of(account_id, row, language) for row in kept]
    return ChurnRiskHistoryOut(account_id=account_id, items=items, next_cursor=next_cursor)
