"""KPIs, each with everything it was computed from. Formulas: docs/reports.md."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from app.reports.kpi import ReportQuery
from app.reports.kpis import queries
from app.reports.kpis.lifetime import median_days
from app.reports.kpis.schemas import RevenueRetentionOut
from app.reports.schemas import Kpi

MIN_ANSWERS = 3


def revenue_retention(session: Session, query: ReportQuery) -> RevenueRetentionOut:
    totals = queries.load_revenue_retention(session, query.workspace_id, query)
    counted = {
        "n": totals.accounts,
        "exclusions": {"excluded": totals.excluded, "no_rate": totals.no_rate},
    }
    money = {**counted, "denominator": totals.opening_cents, "currency": query.currency}
    return RevenueRetentionOut(
        gross_revenue_retention=query.kpi(
            "gross_revenue_retention",
            "sum of min(MRR then, MRR now) / MRR then, of the accounts that paid then",
            numerator=totals.retained_cents,
            **money,
        ),
        net_revenue_retention=query.kpi(
            "net_revenue_retention",
            "MRR now / MRR then, of the accounts that paid then",
            numerator=totals.closing_cents,
            **money,
        ),
        logo_churn=query.kpi(
            "logo_churn",
            "accounts that no longer pay / accounts that paid then",
            numerator=totals.lost,
            denominator=totals.accounts,
            **counted,
        ),
    )


def repurchase_rate(
    session: Session, query: ReportQuery, *, within: int, event_names: Sequence[str]
) -> Kpi:
    row = queries.load_repurchases(
        session, query.workspace_id, query, within=within, event_names=event_names
    )
    return query.kpi(
        "repurchase_rate",
        f"buyers who bought on another day within {within} days of the first / first-time buyers",
        numerator=row.bought_again,
        denominator=row.buyers,
        n=row.buyers,
        exclusions={"excluded": row.excluded, "too_young": row.too_young},
    )


def nps(session: Session, query: ReportQuery) -> Kpi:
    row = queries.load_nps(session, query.workspace_id, query)
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


def time_to_first_value(session: Session, query: ReportQuery, event_names: Sequence[str]) -> Kpi:
    names = event_names or queries.list_product_events(session, query.workspace_id)
    rows = queries.load_first_value(session, query.workspace_id, query, names)
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
