"""Compute the KPIs, each with the numbers it was computed from. Formulas: docs/reports.md."""

from collections.abc import Iterable, Sequence
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
from app.core.months import total_months
from app.core.sql import load_sql
from app.reports.kpi import Kpi, ReportQuery, sum_exclusions
from app.reports.kpis.lifetime import Lifetimes, estimate_value, median_days
from app.reports.kpis.schemas import (
    BandShare,
    Cohort,
    CohortCell,
    CohortsOut,
    DistributionDay,
    DistributionOut,
    FeedbackReport,
    LifetimeValueOut,
    PurchaseValueOut,
    RevenueRetentionOut,
    SegmentLifetimeValue,
)
from app.reports.queries import list_product_events, load_report_rows

SQL = load_sql(
    __file__,
    without_excluded_users=without_excluded_users(":known_on"),
    by_excluded_person=is_excluded_answer(),
    by_excluded_author=is_excluded_user("f.user_id"),
)

MIN_ANSWERS = 3


def revenue_retention(session: Session, query: ReportQuery) -> RevenueRetentionOut:
    [row] = load_report_rows(session, query.workspace_id, SQL, "revenue_retention", query)
    totals = {name: int(value) for name, value in row._asdict().items()}
    accounts = totals["accounts"]
    counted = {
        "n": accounts,
        "exclusions": {"excluded": totals["excluded"], "no_rate": totals["no_rate"]},
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
        exclusions={"excluded": row.excluded, "too_young": row.too_young},
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
    )


def time_to_first_value(session: Session, query: ReportQuery, event_names: list[str]) -> Kpi:
    names = event_names or list_product_events(session, query.workspace_id)
    rows = load_report_rows(
        session, query.workspace_id, SQL, "first_value", query, event_names=names
    )
    counted = [row for row in rows if not row.excluded]
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
        exclusions={"excluded": len(rows) - len(counted)},
    )


def lifetime_value(
    session: Session, query: ReportQuery, *, margin: float, months: int, cost_cents: float | None
) -> LifetimeValueOut:
    """Estimate the value of all accounts, and of the accounts of each segment."""
    rows = load_report_rows(session, query.workspace_id, SQL, "lifetimes", query)

    def value_of(name: str, members: Sequence[Row[Any]]) -> SegmentLifetimeValue:
        counted = [row for row in members if not row.excluded and not row.no_rate]
        exclusions = {
            "excluded": sum(row.excluded for row in members),
            "no_rate": sum(row.no_rate and not row.excluded for row in members),
        }
        estimate = estimate_value(_lifetimes(counted), margin=margin, months=months)
        facts = {"numerator": estimate.cents, "n": estimate.accounts, "exclusions": exclusions}
        clv = query.kpi(
            "clv",
            f"{margin} x mean MRR of paying accounts x expected paid months within {months}",
            unit="cents",
            value=estimate.cents,
            denominator=1,
            currency=query.currency,
            **facts,
        )
        to_cost = query.kpi(
            "clv_to_cost",
            "CLV / cost of value",
            unit="ratio",
            denominator=cost_cents,
            currency=query.currency,
            **facts,
        )
        return SegmentLifetimeValue(
            segment=name,
            clv=clv,
            clv_to_cost=to_cost if cost_cents else None,
            monthly_cents=estimate.monthly_cents,
            survival=[round(share, 6) for share in estimate.survival],
            paying=estimate.paying,
            ended=estimate.ended,
        )

    by_segment = groupby(sorted(rows, key=attrgetter("segment")), attrgetter("segment"))
    segments = [value_of(name, list(members)) for name, members in by_segment if name]
    return LifetimeValueOut(
        horizon_months=months, margin=margin, segments=[value_of("", rows), *segments]
    )


def _lifetimes(rows: Sequence[Row[Any]]) -> Lifetimes:
    return Lifetimes(
        np.array([total_months(_days_of(row.spans)) for row in rows], dtype=np.float64),
        np.array([row.ended for row in rows], dtype=np.bool_),
        np.array([float(row.cents) for row in rows], dtype=np.float64),
    )


def _days_of(spans: Iterable[Any]) -> list[tuple[date, date]]:
    return [(span.lower, span.upper) for span in spans]


def purchase_value(
    session: Session,
    query: ReportQuery,
    *,
    margin: float,
    months: int,
    event_names: list[str],
    amount: str,
) -> PurchaseValueOut:
    """Add up what an account spends on average in each month since its first purchase.

    Each month is the mean over the accounts observed to its end. ``amount``: the event property
    with the amount of a purchase. The value is None if no account was observed for all ``months``.
    """
    values = {"months": months, "event_names": event_names, "property": amount}
    rows = load_report_rows(session, query.workspace_id, SQL, "purchase_value", query, **values)
    observed = [row for row in rows if row.observed]
    value = sum(float(row.amount) / row.observed for row in observed)
    clv = query.kpi(
        "clv",
        f"{margin} x mean {amount} of an account in each month of its age, over {months} months",
        unit="amount",
        value=margin * value if len(observed) == months else None,
        numerator=margin * value,
        denominator=1,
        n=rows[0].observed,
        exclusions={"excluded": rows[0].excluded},
    )
    return PurchaseValueOut(clv=clv, months=observed)


def cohorts(session: Session, query: ReportQuery) -> CohortsOut:
    values = {
        "first": query.since.replace(day=1),
        "last": query.until.replace(day=1),
    }
    rows = load_report_rows(session, query.workspace_id, SQL, "cohorts", query, **values)
    found = [_cohort(list(months)) for _, months in groupby(rows, attrgetter("cohort"))]
    return CohortsOut(
        currency=query.currency,
        known_on=query.known_on,
        exclusions=sum_exclusions(cohort.exclusions for cohort in found),
        cohorts=found,
    )


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
    exclusions = {"excluded": first.excluded, "no_rate": first.no_rate}
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
        since=query.since, until=query.until, currency=query.currency, topics=rows
    )
