"""Key figures, each with what it was made of (docs/reports.md has the formulas)."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from app.reports import queries
from app.reports.kpi import ReportQuery
from app.reports.kpis.lifetime import median_days
from app.reports.schemas import Kpi, RevenueOut

MIN_ANSWERS = 3


def revenue_retention(session: Session, asked: ReportQuery) -> RevenueOut:
    found = queries.load_revenue_retention(session, asked.workspace_id, asked)
    counted = {
        "n": found.accounts,
        "exclusions": {"excluded": found.excluded, "no_rate": found.no_rate},
    }
    money = {**counted, "denominator": found.opening_cents, "currency": asked.currency}
    return RevenueOut(
        gross_revenue_retention=asked.kpi(
            "gross_revenue_retention",
            "sum of min(MRR then, MRR now) / MRR then, of who paid then",
            numerator=found.retained_cents,
            **money,
        ),
        net_revenue_retention=asked.kpi(
            "net_revenue_retention",
            "MRR now / MRR then, of who paid then",
            numerator=found.closing_cents,
            **money,
        ),
        logo_churn=asked.kpi(
            "logo_churn",
            "accounts that pay no more / accounts that paid then",
            numerator=found.lost,
            denominator=found.accounts,
            **counted,
        ),
    )


def repurchase_rate(
    session: Session, asked: ReportQuery, *, within: int, event_names: Sequence[str]
) -> Kpi:
    row = queries.load_repurchases(
        session, asked.workspace_id, asked, within=within, event_names=event_names
    )
    return asked.kpi(
        "repurchase_rate",
        f"buyers who bought on another day within {within} days of the first / first-time buyers",
        numerator=row.bought_again,
        denominator=row.buyers,
        n=row.buyers,
        exclusions={"excluded": row.excluded, "too_young": row.too_young},
    )


def nps(session: Session, asked: ReportQuery) -> Kpi:
    row = queries.load_nps(session, asked.workspace_id, asked)
    balance, enough = row.promoters - row.detractors, row.answers >= MIN_ANSWERS
    return asked.kpi(
        "nps",
        "100 x (promoters - detractors) / answers, the newest of each person; null under 3 answers",
        unit="points",
        value=100 * balance / row.answers if enough else None,
        numerator=balance,
        denominator=row.answers,
        n=row.answers,
        exclusions={"excluded": row.excluded},
    )


def time_to_first_value(session: Session, asked: ReportQuery, event_names: Sequence[str]) -> Kpi:
    names = event_names or queries.list_product_events(session, asked.workspace_id)
    rows = queries.load_first_value(session, asked.workspace_id, asked, names)
    counted = [row for row in rows if not row.excluded]
    days = np.array([row.days for row in counted], dtype=np.float64)
    reached = np.array([row.reached for row in counted], dtype=np.bool_)
    return asked.kpi(
        "time_to_first_value",
        "median days from the start to the first use (Kaplan-Meier: who is not there yet counts)",
        unit="days",
        value=median_days(days, reached),
        numerator=int(reached.sum()),
        denominator=len(counted),
        n=len(counted),
        exclusions={"excluded": len(rows) - len(counted)},
    )
