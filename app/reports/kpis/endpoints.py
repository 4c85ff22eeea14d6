from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.core.clock import Now
from app.core.db import SessionDep
from app.core.errors import FieldError, UnprocessableError
from app.core.schemas import problem_responses
from app.reports.kpi import ReportQuery, days_before
from app.reports.kpis import cohort_service, lifetime_service, service
from app.reports.schemas import (
    CohortsOut,
    DistributionOut,
    EventNames,
    Kpi,
    LifetimeValueOut,
    PurchaseValueOut,
    RevenueOut,
    Since,
    Until,
)
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1/reports", tags=["reports"], responses=problem_responses(401, 403, 422)
)

DEFAULT_DAYS, MAX_COHORT_MONTHS, MAX_DISTRIBUTION_DAYS = 365, 36, 13
PURCHASE = "Order Completed"

Margin = Annotated[float, Query(gt=0, le=1, description="The share of revenue that is kept.")]
Months = Annotated[int, Query(ge=1, le=120, description="The horizon.")]


class InvalidPeriodError(UnprocessableError):
    code = "invalid_days"


def parse_report_query(
    caller: Reader, now: Now, until: Until | None = None, since: Since | None = None
) -> ReportQuery:
    """Figures of a past day are made of what was known on it, so they never change."""
    today = now.date()
    last = until or today
    first = since or days_before(last, DEFAULT_DAYS)
    if not first <= last <= today:
        wrong = [FieldError("/query/since", "since <= until <= today is wanted.")]
        raise InvalidPeriodError("These days cannot be used.", errors=wrong)
    return ReportQuery(caller.workspace_id, caller.base_currency, first, last, last)


ReportQueryDep = Annotated[ReportQuery, Depends(parse_report_query)]


def _split_names(said: str | None) -> list[str]:
    return [name.strip() for name in (said or "").split(",") if name.strip()]


@router.get("/revenue-retention")
def get_revenue_retention(session: SessionDep, asked: ReportQueryDep) -> RevenueOut:
    """GRR, NRR and logo churn of the accounts that paid on the first day."""
    return service.revenue_retention(session, asked)


@router.get("/repurchase-rate")
def get_repurchase_rate(
    session: SessionDep,
    asked: ReportQueryDep,
    within_days: Annotated[int, Query(ge=1, le=1100)] = 90,
    events: EventNames = PURCHASE,
) -> Kpi:
    """Who bought again, of those whose first purchase lies within the days."""
    return service.repurchase_rate(
        session, asked, within=within_days, event_names=_split_names(events)
    )


@router.get("/nps")
def get_nps(session: SessionDep, asked: ReportQueryDep) -> Kpi:
    """The net promoter score of the newest answer of each person."""
    return service.nps(session, asked)


@router.get("/time-to-first-value")
def get_time_to_first_value(
    session: SessionDep, asked: ReportQueryDep, events: EventNames = None
) -> Kpi:
    """Days from the start to the first use, of accounts that started within the days.

    Without `events` any event of a product feature counts.
    """
    return service.time_to_first_value(session, asked, _split_names(events))


@router.get("/lifetime-value")
def get_lifetime_value(
    session: SessionDep,
    asked: ReportQueryDep,
    margin: Margin = 0.8,
    months: Months = 36,
    cost_cents: Annotated[
        float | None, Query(gt=0, le=1e12, description="What serving an account costs in all.")
    ] = None,
) -> LifetimeValueOut:
    """CLV by segment, from how long accounts have paid until now."""
    return lifetime_service.lifetime_value(
        session, asked, margin=margin, months=months, cost_cents=cost_cents
    )


@router.get("/purchase-value")
def get_purchase_value(
    session: SessionDep,
    asked: ReportQueryDep,
    margin: Margin = 0.8,
    months: Months = 12,
    events: EventNames = PURCHASE,
    amount: Annotated[str, Query(max_length=200, min_length=1)] = "revenue",
) -> PurchaseValueOut:
    """CLV of accounts that buy now and then: what they spend in each month of their age."""
    return lifetime_service.purchase_value(
        session,
        asked,
        margin=margin,
        months=months,
        event_names=_split_names(events),
        amount=amount,
    )


@router.get("/cohorts")
def get_cohorts(session: SessionDep, asked: ReportQueryDep) -> CohortsOut:
    """Retention, revenue and health by start month; at most the last 36 start months."""
    first = max(asked.since, _months_before(asked.until, MAX_COHORT_MONTHS))
    return cohort_service.cohorts(session, replace(asked, since=first))


@router.get("/distribution")
def get_distribution(session: SessionDep, asked: ReportQueryDep) -> DistributionOut:
    """Accounts, MRR and mean score by band, on 13 days spread evenly over the time."""
    length = (asked.until - asked.since).days
    steps = min(MAX_DISTRIBUTION_DAYS - 1, length)
    days = [
        asked.until - timedelta(days=length * step // max(steps, 1)) for step in range(steps + 1)
    ]
    return cohort_service.distribution(session, asked, sorted(days))


def _months_before(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, 1) if years > 0 else date.min
