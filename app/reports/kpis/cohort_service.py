"""Accounts over time: by the month in which they started, and by band."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.reports.kpi import ReportQuery
from app.reports.kpis import queries
from app.reports.kpis.schemas import (
    BandShare,
    Cohort,
    CohortCell,
    CohortsOut,
    DistributionDay,
    DistributionOut,
)


def cohorts(session: Session, query: ReportQuery) -> CohortsOut:
    rows = queries.load_cohorts(session, query.workspace_id, query)
    return CohortsOut(
        currency=query.currency,
        known_on=query.known_on,
        cohorts=[
            Cohort(start=start, size=size, cells=_cells(list(cells)))
            for (start, size), cells in groupby(rows, key=lambda row: (row.cohort, row.size))
        ],
    )


def _cells(rows: Sequence[Row[Any]]) -> list[CohortCell]:
    """Build the cells of one cohort. ``rows``: by month, from the start month on."""
    first = rows[0]
    return [
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


def distribution(session: Session, query: ReportQuery, days: Sequence[date]) -> DistributionOut:
    rows = queries.load_distribution(session, query.workspace_id, query, days)
    by_day = groupby(rows, key=lambda row: row.day)
    return DistributionOut(
        currency=query.currency, days=[_distribution_day(day, list(bands)) for day, bands in by_day]
    )


def _distribution_day(day: date, rows: Sequence[Row[Any]]) -> DistributionDay:
    accounts = sum(row.accounts for row in rows)
    scored = [row for row in rows if row.score is not None]
    known = sum(row.accounts for row in scored)
    return DistributionDay(
        day=day,
        accounts=accounts,
        mean_score=sum(row.score * row.accounts for row in scored) / known if known else None,
        bands=[
            BandShare(
                band=row.band,
                accounts=row.accounts,
                share=row.accounts / accounts,
                mrr_cents=int(row.mrr_cents),
            )
            for row in rows
        ],
    )
