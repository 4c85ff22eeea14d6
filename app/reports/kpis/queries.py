from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.accounts.tables import ProductFeature
from app.reports.kpi import ReportQuery
from app.reports.kpis import statements
from app.reports.kpis.lifetime import Lifetimes
from app.reports.queries import load_report_rows


@dataclass(frozen=True, slots=True)
class RevenueTotals:
    """The accounts that paid on the first day, and their MRR then and on the last day.

    ``lost``: how many no longer pay on the last day. ``retained_cents``: without growth, the sum
    of the smaller of each account's two amounts. ``excluded``, ``no_rate``: accounts left out.
    """

    accounts: int
    lost: int
    opening_cents: int
    retained_cents: int
    closing_cents: int
    excluded: int
    no_rate: int


def load_revenue_retention(
    session: Session, workspace_id: str, query: ReportQuery
) -> RevenueTotals:
    [row] = load_report_rows(session, workspace_id, statements.REVENUE_RETENTION, query)
    return RevenueTotals(*map(int, row))


@dataclass(frozen=True, slots=True)
class SegmentLifetimes:
    """The lifetimes of accounts by segment, and how many accounts were left out.

    The key of accounts without a segment is the empty string.
    """

    by_segment: dict[str, Lifetimes]
    excluded: int
    no_rate: int


def load_lifetimes(session: Session, workspace_id: str, query: ReportQuery) -> SegmentLifetimes:
    rows = load_report_rows(session, workspace_id, statements.LIFETIMES, query)
    counted: dict[str, list[Row[Any]]] = {}
    for row in rows:
        if not row.excluded and not row.no_rate:
            counted.setdefault(row.segment, []).append(row)
    return SegmentLifetimes(
        {segment: _to_lifetimes(segment_rows) for segment, segment_rows in counted.items()},
        sum(row.excluded for row in rows),
        sum(row.no_rate and not row.excluded for row in rows),
    )


def _to_lifetimes(rows: Sequence[Row[Any]]) -> Lifetimes:
    return Lifetimes(
        np.array([row.days for row in rows], dtype=np.float64),
        np.array([row.ended for row in rows], dtype=np.bool_),
        np.array([float(row.cents) for row in rows], dtype=np.float64),
    )


def load_cohorts(session: Session, workspace_id: str, query: ReportQuery) -> Sequence[Row[Any]]:
    """Return size, accounts, cents and score for each start month and each month since.

    A month is evaluated on its last day, the last month on ``until``.
    """
    months = {"first": query.since.replace(day=1), "last": query.until.replace(day=1)}
    seen_at = datetime.combine(query.known_on + timedelta(days=1), time.min, UTC)
    return load_report_rows(
        session, workspace_id, statements.COHORTS, query, seen_at=seen_at, **months
    )


def load_distribution(
    session: Session, workspace_id: str, query: ReportQuery, days: Sequence[date]
) -> Sequence[Row[Any]]:
    """Return accounts, MRR and mean score by day and band."""
    return load_report_rows(session, workspace_id, statements.DISTRIBUTION, query, days=list(days))


def load_first_value(
    session: Session, workspace_id: str, query: ReportQuery, event_names: Sequence[str]
) -> Sequence[Row[Any]]:
    """Return for each account that started in the period: excluded, days, reached.

    ``days``: from its start to its first use, or to ``until`` if it has not reached first use.
    """
    names = list(event_names)
    return load_report_rows(session, workspace_id, statements.FIRST_VALUE, query, event_names=names)


def list_product_events(session: Session, workspace_id: str) -> list[str]:
    """List the event names of all configured product features."""
    rows = select(ProductFeature.event_names).where(ProductFeature.workspace_id == workspace_id)
    return sorted({name for names in session.scalars(rows) for name in names})


def load_repurchases(
    session: Session,
    workspace_id: str,
    query: ReportQuery,
    *,
    within: int,
    event_names: Sequence[str],
) -> Row[Any]:
    """Count the buyers whose first purchase is in the period, and those that bought again."""
    values = {"within": within, "event_names": list(event_names)}
    [row] = load_report_rows(session, workspace_id, statements.REPURCHASES, query, **values)
    return row


def load_purchase_value(
    session: Session,
    workspace_id: str,
    query: ReportQuery,
    *,
    months: int,
    event_names: Sequence[str],
    amount: str,
) -> Sequence[Row[Any]]:
    """Return for each month of age: accounts observed to its end, accounts that bought, amount.

    ``amount``: the event property with the amount of a purchase.
    """
    values = {"months": months, "event_names": list(event_names), "property": amount}
    return load_report_rows(session, workspace_id, statements.PURCHASE_VALUE, query, **values)


def load_nps(session: Session, workspace_id: str, query: ReportQuery) -> Row[Any]:
    """Count the answers, promoters and detractors of the period, and the excluded answers."""
    [row] = load_report_rows(session, workspace_id, statements.NPS, query)
    return row
