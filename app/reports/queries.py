from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Row, TextClause, select
from sqlalchemy.orm import Session

from app.accounts.tables import ProductFeature
from app.engagement.tables import OnboardingStep
from app.features.statements import PLAN_FOR_MANY_ROWS
from app.reports import statements
from app.reports.kpi import ReportQuery
from app.reports.kpis.feedback_statements import ARR_AT_RISK
from app.reports.kpis.lifetime import Lifetimes


@dataclass(frozen=True, slots=True)
class RevenueTotals:
    """Of the accounts that paid on the first day: how many, what they paid then and at the end.

    ``kept_cents`` leaves growth out: of each account the smaller of the two.
    """

    accounts: int
    lost: int
    opening_cents: int
    retained_cents: int
    closing_cents: int
    excluded: int
    no_rate: int


def load_revenue_retention(
    session: Session, workspace_id: str, asked: ReportQuery
) -> RevenueTotals:
    [row] = load_report_rows(session, workspace_id, statements.REVENUE_RETENTION, asked)
    return RevenueTotals(*map(int, row))


@dataclass(frozen=True, slots=True)
class SegmentLifetimes:
    """Lifetimes of the counted accounts by segment (the empty text: none), and who is left out."""

    by_segment: dict[str, Lifetimes]
    excluded: int
    no_rate: int


def load_lifetimes(session: Session, workspace_id: str, asked: ReportQuery) -> SegmentLifetimes:
    rows = load_report_rows(session, workspace_id, statements.LIFETIMES, asked)
    counted: dict[str, list[Row[Any]]] = {}
    for row in rows:
        if not row.excluded and not row.no_rate:
            counted.setdefault(row.segment, []).append(row)
    return SegmentLifetimes(
        {segment: _lifetimes(some) for segment, some in counted.items()},
        sum(row.excluded for row in rows),
        sum(row.no_rate and not row.excluded for row in rows),
    )


def _lifetimes(rows: Sequence[Row[Any]]) -> Lifetimes:
    return Lifetimes(
        np.array([row.days for row in rows], dtype=np.float64),
        np.array([row.ended for row in rows], dtype=np.bool_),
        np.array([float(row.cents) for row in rows], dtype=np.float64),
    )


def load_cohorts(session: Session, workspace_id: str, asked: ReportQuery) -> Sequence[Row[Any]]:
    """Return a row for each start month and each month since: size, accounts, cents, score.

    A month is looked at on its last day, the last one on ``until``.
    """
    months = {"first": asked.since.replace(day=1), "last": asked.until.replace(day=1)}
    seen_at = datetime.combine(asked.known_on + timedelta(days=1), time.min, UTC)
    return load_report_rows(
        session, workspace_id, statements.COHORTS, asked, until=seen_at, **months
    )


def load_distribution(
    session: Session, workspace_id: str, asked: ReportQuery, days: Sequence[date]
) -> Sequence[Row[Any]]:
    """Return accounts, MRR and mean score by day and band."""
    return load_report_rows(session, workspace_id, statements.DISTRIBUTION, asked, days=list(days))


def load_first_value(
    session: Session, workspace_id: str, asked: ReportQuery, event_names: Sequence[str]
) -> Sequence[Row[Any]]:
    named = list(event_names)
    return load_report_rows(session, workspace_id, statements.FIRST_VALUE, asked, event_names=named)


def list_product_events(session: Session, workspace_id: str) -> list[str]:
    """Name the events of all configured product features."""
    named = select(ProductFeature.event_names).where(ProductFeature.workspace_id == workspace_id)
    return sorted({name for names in session.scalars(named) for name in names})


def load_repurchases(
    session: Session,
    workspace_id: str,
    asked: ReportQuery,
    *,
    within: int,
    event_names: Sequence[str],
) -> Row[Any]:
    """Count buyers whose first purchase lies within the days, and who of them bought again."""
    said = {"within": within, "event_names": list(event_names)}
    [row] = load_report_rows(session, workspace_id, statements.REPURCHASES, asked, **said)
    return row


def load_purchase_value(
    session: Session,
    workspace_id: str,
    asked: ReportQuery,
    *,
    months: int,
    event_names: Sequence[str],
    amount: str,
) -> Sequence[Row[Any]]:
    """Return for each month of age: accounts observed to its end, accounts that bought, amount."""
    said = {"months": months, "event_names": list(event_names), "property": amount}
    return load_report_rows(session, workspace_id, statements.PURCHASE_VALUE, asked, **said)


def load_arr_at_risk_by_quarter(
    session: Session, workspace_id: str, day: date
) -> Sequence[Row[Any]]:
    """Return scored accounts and those at risk by renewal quarter, as of a day."""
    values = {"workspace_id": workspace_id, "day": day}
    return session.execute(ARR_AT_RISK, values).all()


def load_nps(session: Session, workspace_id: str, asked: ReportQuery) -> Row[Any]:
    [row] = load_report_rows(session, workspace_id, statements.NPS, asked)
    return row


def load_names(
    session: Session, workspace_id: str, table: type[ProductFeature] | type[OnboardingStep]
) -> dict[str, str]:
    """Return by key what they are called."""
    rows = select(table.key, table.name).where(table.workspace_id == workspace_id)
    return {row.key: row.name for row in session.execute(rows.order_by(table.key))}


def load_report_rows(
    session: Session, workspace_id: str, statement: TextClause, asked: ReportQuery, **values: object
) -> Sequence[Row[Any]]:
    """Execute a statement over all accounts of a workspace on the days that are asked about."""
    session.execute(PLAN_FOR_MANY_ROWS)
    known = {
        "workspace_id": workspace_id,
        "since": asked.since,
        "until": asked.until,
        "known_on": asked.known_on,
        "base_currency": asked.currency,
    }
    return session.execute(statement, known | values).all()
