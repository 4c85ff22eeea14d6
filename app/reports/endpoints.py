"""Reports over HTTP: accounts at risk, what goes with churn, and the KPIs of a period."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.filters.tree import And, Condition, Op
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import NO_NUL, problem_responses
from app.portfolio.endpoints import FilterQuery, OwnerQuery, SegmentKeyQuery
from app.portfolio.segment_service import resolve_filter_query
from app.reports.at_risk import service as at_risk
from app.reports.at_risk.calibration import calibration_report
from app.reports.at_risk.schemas import (
    AccountAtRiskOut,
    ArrAtRiskOut,
    RevenueAtRiskCalibrationOut,
)
from app.reports.churn_causes import service as causes
from app.reports.churn_causes.schemas import ChurnCausesOut
from app.reports.kpi import Kpi, ReportQueryDep
from app.reports.kpis import service as kpis
from app.reports.kpis import value_service
from app.reports.kpis.schemas import (
    CohortsOut,
    DistributionOut,
    FeedbackReport,
    LifetimeValueOut,
    PurchaseValueOut,
    RevenueRetentionOut,
)
from app.workspaces.auth import Reader

at_risk_router = APIRouter(
    prefix="/api/v1",
    tags=["reports"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)
router = APIRouter(
    prefix="/api/v1/reports",
    tags=["reports"],
    responses=problem_responses(401, 403, 422),
    route_class=DeclaredRoute,
)

MAX_COHORT_MONTHS, MAX_DISTRIBUTION_DAYS = 36, 13
PURCHASE = "Order Completed"

EventNames = Annotated[
    str | None,
    Query(
        max_length=2000,
        pattern=NO_NUL,
        description="Event names, separated by commas.",
        examples=["Order Completed"],
    ),
]
Margin = Annotated[
    float, Query(gt=0, le=1, description="The share of revenue that remains after costs.")
]
Months = Annotated[int, Query(ge=1, le=120, description="The horizon in months.")]


@at_risk_router.get("/accounts/at-risk", summary="List accounts at risk")
def list_accounts_at_risk(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    filter_text: FilterQuery = None,
    segment_key: SegmentKeyQuery = None,
    owner: OwnerQuery = None,
) -> Page[AccountAtRiskOut]:
    """List accounts whose band is `at_risk` or whose churn risk is `high`, most revenue first.

    Each has the measure that lowers its score most, its most severe open alert and its first
    suggestion.
    """
    account_filter = resolve_filter_query(session, caller.workspace_id, filter_text, segment_key)
    if owner is not None:
        account_filter = And((Condition("owner", Op.EQ, owner), account_filter))
    return at_risk.load_page(
        session,
        caller.workspace_id,
        account_filter,
        paging=paging,
        now=now,
        language=language,
    )


@router.get("/arr-at-risk", summary="Get ARR at risk by renewal quarter")
def get_arr_at_risk(session: SessionDep, query: ReportQueryDep) -> ArrAtRiskOut:
    """Return the ARR of accounts at risk on the last day, by the quarter of their next renewal."""
    return at_risk.arr_at_risk_report(session, query)


@router.get("/revenue-at-risk-calibration", summary="Compare revenue at risk with what churned")
def get_revenue_at_risk_calibration(
    session: SessionDep, query: ReportQueryDep
) -> RevenueAtRiskCalibrationOut:
    """Return what was expected to churn at the beginning of each month, and what came of it.

    The expectation is that of the stored probabilities, as they were then. Months whose outcomes
    are not final have none yet, and the day on which they will have them.
    """
    return calibration_report(session, query)


@router.get("/churn-causes", summary="Get what goes with churn")
def get_churn_causes(
    session: SessionDep, query: ReportQueryDep, language: LanguageDep
) -> ChurnCausesOut:
    """Return when accounts churn, which conditions go with churn, and the stated reasons.

    All findings are associations: they show where to look, not what would have retained an
    account.
    """
    return causes.churn_causes(session, query, language)


@router.get("/revenue-retention", summary="Get revenue retention and logo churn")
def get_revenue_retention(session: SessionDep, query: ReportQueryDep) -> RevenueRetentionOut:
    """Return GRR, NRR and logo churn of the accounts that paid on the first day."""
    return kpis.revenue_retention(session, query)


@router.get("/repurchase-rate", summary="Get the repurchase rate")
def get_repurchase_rate(
    session: SessionDep,
    query: ReportQueryDep,
    within_days: Annotated[
        int, Query(ge=1, le=1100, description="Days after the first purchase that count.")
    ] = 90,
    events: EventNames = PURCHASE,
) -> Kpi:
    """Return the share of buyers that bought again, among first purchases within the period."""
    return kpis.repurchase_rate(
        session, query, within=within_days, event_names=_split_names(events)
    )


@router.get("/nps", summary="Get the net promoter score")
def get_nps(session: SessionDep, query: ReportQueryDep) -> Kpi:
    """Return the net promoter score, from the newest answer of each person."""
    return kpis.nps(session, query)


@router.get("/time-to-first-value", summary="Get the time to first value")
def get_time_to_first_value(
    session: SessionDep, query: ReportQueryDep, events: EventNames = None
) -> Kpi:
    """Return the median days from start to first use, of accounts that started in the period.

    Without `events` any event of a configured product feature counts as use.
    """
    return kpis.time_to_first_value(session, query, _split_names(events))


@router.get("/lifetime-value", summary="Get the customer lifetime value")
def get_lifetime_value(
    session: SessionDep,
    query: ReportQueryDep,
    margin: Margin = 0.8,
    months: Months = 36,
    cost_cents: Annotated[
        float | None,
        Query(
            gt=0,
            le=1e12,
            description="What it costs to serve an account over the horizon, for `clv_to_cost`.",
        ),
    ] = None,
) -> LifetimeValueOut:
    """Return the CLV of all accounts and of each segment, from how long accounts have paid."""
    return value_service.lifetime_value(
        session, query, margin=margin, months=months, cost_cents=cost_cents
    )


@router.get("/purchase-value", summary="Get the lifetime value of purchases")
def get_purchase_value(
    session: SessionDep,
    query: ReportQueryDep,
    margin: Margin = 0.8,
    months: Months = 12,
    events: EventNames = PURCHASE,
    amount: Annotated[
        str,
        Query(
            max_length=200,
            min_length=1,
            description="The event property that has the amount of a purchase.",
        ),
    ] = "revenue",
) -> PurchaseValueOut:
    """Return the CLV of accounts that buy irregularly, by month since the first purchase."""
    return value_service.purchase_value(
        session,
        query,
        margin=margin,
        months=months,
        event_names=_split_names(events),
        amount=amount,
    )


@router.get("/cohorts", summary="Get retention by start month")
def get_cohorts(session: SessionDep, query: ReportQueryDep) -> CohortsOut:
    """Return retention, revenue and mean score by start month; at most the last 36 months."""
    first = max(query.since, _months_before(query.until, MAX_COHORT_MONTHS))
    return kpis.cohorts(session, replace(query, since=first))


@router.get("/distribution", summary="Get the distribution of accounts over bands")
def get_distribution(session: SessionDep, query: ReportQueryDep) -> DistributionOut:
    """Return accounts, MRR and mean score by band, on 13 days spread evenly over the period."""
    length = (query.until - query.since).days
    steps = min(MAX_DISTRIBUTION_DAYS - 1, length)
    days = [
        query.until - timedelta(days=length * step // max(steps, 1)) for step in range(steps + 1)
    ]
    return kpis.distribution(session, query, sorted(days))


@router.get("/feedback", summary="Get complaints and requests by topic")
def get_feedback_report(
    session: SessionDep,
    query: ReportQueryDep,
    limit: Annotated[int, Query(ge=1, le=200, description="The most topics to return.")] = 50,
) -> FeedbackReport:
    """Return complaints and requests by topic: the revenue behind them, and how they were answered.

    Topics are ordered by revenue, highest first.
    """
    return kpis.feedback_report(session, query, limit=limit)


def _split_names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _months_before(day: date, months: int) -> date:
    """Return the first day of the month ``months`` before a day, but no earlier than date.min."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, 1) if years > 0 else date.min
