"""Compute the KPIs, each with the numbers it was computed from. Formulas: docs/reports.md."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts.excluded_users import (
    is_excluded_answer,
    is_excluded_user,
    without_excluded_users,
)
from app.core.arrays import np
from app.core.sql import load_sql
from app.engagement.first_event import account_began_on, reported_from
from app.reports.kpi import Kpi, ReportQuery, sum_exclusions
from app.reports.kpis.lifetime import median_days
from app.reports.kpis.schemas import (
    BandShare,
    Cohort,
    CohortCell,
    CohortsOut,
    DistributionDay,
    DistributionOut,
    FeedbackReport,
    RevenueRetentionOut,
)
from app.reports.queries import SQL as SHARED
from app.reports.queries import list_product_events, load_later_changes, load_report_rows

SQL = load_sql(
    __file__,
    without_excluded_users=without_excluded_users(":known_on"),
    by_excluded_person=is_excluded_answer(),
    by_excluded_author=is_excluded_user("f.user_id"),
    account_at_response=SHARED.fill("account_at", row="r"),
    account_at_item=SHARED.fill("account_at", row="f"),
    reported_from=reported_from(":known_on"),
    account_began_on=account_began_on(":known_on"),
)

MIN_ANSWERS = 3


def revenue_retention(session: Session, query: ReportQuery) -> RevenueRetentionOut:
    [row] = load_report_rows(session, query.workspace_id, SQL, "revenue_retention", query)
    totals = {name: int(value) for name, value in row._asdict().items()}
    accounts = totals["accounts"]
    counted = {
        "n": accounts,
        "exclusions": {"excluded": totals["excluded"], "no_rate": totals["no_rate"]},
        "changed_by": load_changes_of_payments(session, query),
    }
    money = {**counted, "denominator": totals["opening_cents"], "currency": query.currency}
    return RevenueRetentionOut(
        rates_on=query.since,
        gross_revenue_retention=query.kpi(
            "gross_revenue_retention",
            "sum of min(MRR then, MRR now) / MRR then, of the accounts that paid then",
            numerator=totals["retained_cents"],
            **money,
        ),
        net_revenue_retention=query.kpi(
            "net_revenue_retention",
            "MRR now / MRR then, of the accounts that paid then",
            numerator=totals["closing_cents"],
            **money,
        ),
        logo_churn=query.kpi(
            "logo_churn",
            "accounts that no longer pay / accounts that paid then",
            numerator=totals["lost"],
            denominator=accounts,
            **counted,
        ),
    )


def load_changes_of_payments(
    session: Session, query: ReportQuery, *, by_segment: bool = False
) -> Mapping[str, int]:
    return load_later_changes(
        session,
        query.workspace_id,
        SQL,
        "paid_accounts",
        query,
        apart=True,
        of_fields=by_segment,
    )


def repurchase_rate(
    session: Session, query: ReportQuery, *, within: int, event_names: list[str]
) -> Kpi:
    values = {"within": within, "event_names": event_names}
    [row] = load_report_rows(session, query.workspace_id, SQL, "repurchases", query, **values)
    return query.kpi(
        "repurchase_rate",
        f"buyers who bought on another day within {within} days of the first / first-time buyers",
        numerator=row.bought_again,
        denominator=row.buyers,
        n=row.buyers,
        exclusions={"excluded": row.excluded, "too_young": row.too_young}
        | older_accounts(row.is_older),
        changed_by=load_later_changes(
            session, query.workspace_id, SQL, "use", query, event_names=event_names
        ),
    )


def nps(session: Session, query: ReportQuery) -> Kpi:
    [row] = load_report_rows(session, query.workspace_id, SQL, "nps", query)
    balance, enough = row.promoters - row.detractors, row.answers >= MIN_ANSWERS
    return query.kpi(
        "nps",
        "100 x (promoters - detractors) / answers, the newest of each person; null under 3 answers",
        unit="points",
        value=100 * balance / row.answers if enough else None,
        numerator=balance,
        denominator=row.answers,
        n=row.answers,
        exclusions={"excluded": row.excluded},
        changed_by=load_later_changes(
            session, query.workspace_id, SQL, "responses", query, apart=True
        ),
    )


def older_accounts(accounts: int) -> dict[str, int]:
    """Return the exclusion of accounts that began before the first event, if there are any."""
    return {"older_than_events": accounts} if accounts else {}


def time_to_first_value(session: Session, query: ReportQuery, event_names: list[str]) -> Kpi:
    names = event_names or list_product_events(session, query.workspace_id)
    rows = load_report_rows(
        session, query.workspace_id, SQL, "first_value", query, event_names=names
    )
    included = [row for row in rows if not row.excluded]
    counted = [row for row in included if not row.is_older]
    days = np.array([row.days for row in counted], dtype=np.float64)
    reached = np.array([row.reached for row in counted], dtype=np.bool_)
    return query.kpi(
        "time_to_first_value",
        "median days from the start to the first use (Kaplan-Meier, with accounts not there yet)",
        unit="days",
        value=median_days(days, reached),
        numerator=int(reached.sum()),
        denominator=len(counted),
        n=len(counted),
        exclusions={"excluded": len(rows) - len(included)}
        | older_accounts(len(included) - len(counted)),
        changed_by=load_later_changes(
            session, query.workspace_id, SQL, "starts", query, event_names=names, of_fields=True
        ),
    )


def cohorts(session: Session, query: ReportQuery) -> CohortsOut:
    values = {"first": query.since.replace(day=1), "last": query.until.replace(day=1)}
    rows = load_report_rows(session, query.workspace_id, SQL, "cohorts", query, **values)
    by_cohort = [list(months) for _, months in groupby(rows, attrgetter("cohort"))]
    return CohortsOut(
        currency=query.currency,
        known_on=query.known_on,
        exclusions=sum_exclusions(_cohort_exclusions(months[0]) for months in by_cohort),
        changed_by=load_changes_of_payments(session, query),
        cohorts=[_cohort(months) for months in by_cohort if months[0].size],
    )


def _cohort_exclusions(row: Row[Any]) -> dict[str, int]:
    return {"excluded": row.excluded, "no_rate": row.no_rate}


def _cohort(rows: Sequence[Row[Any]]) -> Cohort:
    """Build one cohort. ``rows``: by month, from the start month on."""
    first = rows[0]
    cells = [
        CohortCell(
            month=row.month,
            age=12 * (row.month.year - row.cohort.year) + row.month.month - row.cohort.month,
            accounts=row.accounts,
            retention=row.accounts / row.size,
            mrr_cents=row.cents,
            revenue_retention=row.cents / first.cents if first.cents else None,
            mean_score=row.score,
        )
        for row in rows
    ]
    exclusions = _cohort_exclusions(first)
    return Cohort(start=first.cohort, size=first.size, exclusions=exclusions, cells=cells)


def distribution(session: Session, query: ReportQuery, days: list[date]) -> DistributionOut:
    rows = load_report_rows(session, query.workspace_id, SQL, "distribution", query, days=days)
    by_day = groupby(rows, attrgetter("day"))
    return DistributionOut(
        currency=query.currency, days=[_distribution_day(day, list(bands)) for day, bands in by_day]
    )


def _distribution_day(day: date, rows: Sequence[Row[Any]]) -> DistributionDay:
    accounts = sum(row.accounts for row in rows)
    scored = [row for row in rows if row.score is not None]
    known = sum(row.scored for row in scored)
    mean_score = sum(row.score * row.scored for row in scored) / known if known else None
    bands = [
        BandShare(
            band=row.band,
            accounts=row.accounts,
            share=row.accounts / accounts,
            mrr_cents=row.mrr_cents,
            exclusions={"no_rate": row.no_rate},
        )
        for row in rows
    ]
    return DistributionDay(
        day=day,
        accounts=accounts,
        mean_score=mean_score,
        exclusions=sum_exclusions(band.exclusions for band in bands),
        bands=bands,
    )


def feedback_report(session: Session, query: ReportQuery, *, limit: int) -> FeedbackReport:
    """Report complaints and requests by topic, with the revenue of the accounts behind them."""
    rows = load_report_rows(session, query.workspace_id, SQL, "feedback", query, limit=limit)
    return FeedbackReport(
        since=query.since,
        until=query.until,
        currency=query.currency,
        changed_by=load_later_changes(
            session, query.workspace_id, SQL, "feedback_items", query, apart=True
        ),
        topics=rows,
    )
