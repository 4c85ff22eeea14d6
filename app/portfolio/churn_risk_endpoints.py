"""Routes of the churn risk of an account. What it puts at risk depends on the health score too."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts.queries import get_account
from app.churn.schemas import ChurnRiskHistoryOut, ChurnRiskOut
from app.churn.scoring import risk_queries
from app.churn.scoring.revenue import RevenueAtRisk, expected_loss, revenue_at_risk
from app.churn.scoring.risk import current_status
from app.churn.tables import ChurnRiskHistory
from app.churn.training.queries import load_rules_reason
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.days import OtherDaysDep
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import PagingDep
from app.core.schemas import Day, Id, problem_responses
from app.health.tables import HealthScore
from app.portfolio.revenue_at_risk_queries import load_bands, load_revenue_at_risk
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["churn"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)

DEFAULT_DAYS = 90


@router.get("/accounts/{account_id}/churn-risk", summary="Get the churn risk of an account")
def get_churn_risk(
    session: ReadSessionDep, caller: Reader, language: LanguageDep, account_id: Id
) -> ChurnRiskOut:
    """Return how likely an account is to churn within the horizon, and the drivers of the risk.

    Without an active model, rules give a level and a rank, and `probability` is null: `confidence`
    says why.
    """
    workspace_id = caller.workspace_id
    get_account(session, workspace_id, account_id)
    row = risk_queries.load_risks(session, workspace_id, [account_id]).get(account_id)
    revenue = load_revenue_at_risk(session, workspace_id, [account_id]).get(account_id)
    reason = load_rules_reason(session, workspace_id) if row and not row.model_version else None
    out = ChurnRiskOut.for_account(account_id, row, language, revenue, reason)
    health = session.get(HealthScore, (workspace_id, account_id))
    out.status = current_status(out.status, health and health.last_used_on)
    if row is not None and row.risk is not None:
        out.rank, out.ranked_accounts = risk_queries.load_rank(session, workspace_id, row.risk)
    return out


@router.get(
    "/accounts/{account_id}/churn-risk/history",
    summary="List the churn risk history of an account",
)
def list_churn_risk_history(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    account_id: Id,
    other: OtherDaysDep,
    since: Annotated[
        Day | None,
        Query(description="The first day; 90 days before `until` by default."),
    ] = None,
    until: Annotated[Day | None, Query(description="The last day; today by default.")] = None,
) -> ChurnRiskHistoryOut:
    """Return the churn risk of an account on the days on which it moved, oldest first."""
    since, until = other.fill(since, until)
    until = until or now.date()
    since = since or until - timedelta(days=min(DEFAULT_DAYS, until.toordinal() - 1))
    get_account(session, caller.workspace_id, account_id)
    page = risk_queries.list_history(
        session, caller.workspace_id, account_id, paging, since=since, until=until
    )
    bands = load_bands(session, caller.workspace_id, account_id, [row.as_of for row in page.rows])
    items = [
        ChurnRiskOut.for_account(
            account_id, row, language, _past_revenue(row, *bands.get(row.as_of, (None, 0)))
        )
        for row in page.rows
    ]
    return ChurnRiskHistoryOut(account_id=account_id, items=items, next_cursor=page.next_cursor)


def _past_revenue(row: ChurnRiskHistory, band: str | None, mrr_cents: int | None) -> RevenueAtRisk:
    """Return the revenue at risk on a past day; what a model or a level put at risk is stored."""
    if mrr_cents is not None and row.details["revenue_basis"] in {"probability", "assumed"}:
        return RevenueAtRisk(
            row.revenue_at_risk_cents,
            row.details["revenue_basis"],
            expected_loss(row.mrr_cents, row.probability_low),
            expected_loss(row.mrr_cents, row.probability_high),
        )
    return revenue_at_risk(mrr_cents, row.probability, level=row.level, band=band)
