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
from app.reports.asked import Asked
from app.reports.asking_statements import ARR_AT_RISK
from app.reports.lifetime import Lifetimes


@dataclass(frozen=True, slots=True)
class Revenue:
    """Of the accounts that paid on the first day: how many, what they paid then and at the end.

    ``kept_cents`` leaves growth out: of each account the smaller of the two.
    """

    accounts: int
    lost: int
    opening_cents: int
    kept_cents: int
    closing_cents: int
    excluded: int
    no_rate: int


def revenue_retention(session: Session, workspace_id: str, asked: Asked) -> Revenue:
    [row] = figures(session, workspace_id, statements.REVENUE_RETENTION, asked)
    return Revenue(*map(int, row))


@dataclass(frozen=True, slots=True)
class Lived:
    """Lifetimes of the counted accounts by segment (the empty text: none), and who is left out."""

    by_segment: dict[str, Lifetimes]
    excluded: int
    no_rate: int


def lifetimes(session: Session, workspace_id: str, asked: Asked) -> Lived:
    rows = figures(session, workspace_id, statements.LIFETIMES, asked)
    counted: dict[str, list[Row[Any]]] = {}
    for row in rows:
        if not row.excluded and not row.no_rate:
            counted.setdefault(row.segment, []).append(row)
    return Lived(
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


def cohorts(session: Session, workspace_id: str, asked: Asked) -> Sequence[Row[Any]]:
    """Return a row for each start month and each month since: size, accounts, cents, score.

    A month is looked at on its last day, the last one on ``until``.
    """
    months = {"first": asked.since.replace(day=1), "last": asked.until.replace(day=1)}
    seen_at = datetime.combine(asked.known_on + timedelta(days=1), time.min, UTC)
    return figures(session, workspace_id, statements.COHORTS, asked, until=seen_at, **months)


def distribution(
    session: Session, workspace_id: str, asked: Asked, days: Sequence[date]
) -> Sequence[Row[Any]]:
    """Return accounts, MRR and mean score by day and band."""
    return figures(session, workspace_id, statements.DISTRIBUTION, asked, days=list(days))


def first_value(
    session: Session, workspace_id: str, asked: Asked, event_names: Sequence[str]
) -> Sequence[Row[Any]]:
    named = list(event_names)
    return figures(session, workspace_id, statements.FIRST_VALUE, asked, event_names=named)


def product_events(session: Session, workspace_id: str) -> list[str]:
    """Name the events of all configured product features."""
    named = select(ProductFeature.event_names).where(ProductFeature.workspace_id == workspace_id)
    return sorted({name for names in session.scalars(named) for name in names})


def repurchases(
    session: Session, workspace_id: str, asked: Asked, *, within: int, event_names: Sequence[str]
) -> Row[Any]:
    """Count buyers whose first purchase lies within the days, and who of them bought again."""
    said = {"within": within, "event_names": list(event_names)}
    [row] = figures(session, workspace_id, statements.REPURCHASES, asked, **said)
    return row


def purchase_value(
    session: Session,
    workspace_id: str,
    asked: Asked,
    *,
    months: int,
    event_names: Sequence[str],
    amount: str,
) -> Sequence[Row[Any]]:
    """Return for each month of age: accounts observed to its end, accounts that bought, amount."""
    said = {"months": months, "event_names": list(event_names), "property": amount}
    return figures(session, workspace_id, statements.PURCHASE_VALUE, asked, **said)


def arr_at_risk_by_quarter(session: Session, workspace_id: str, day: date) -> Sequence[Row[Any]]:
    """Return scored accounts and those at risk by renewal quarter, as of a day."""
    values = {"workspace_id": workspace_id, "day": day}
    return session.execute(ARR_AT_RISK, values).all()


def nps(session: Session, workspace_id: str, asked: Asked) -> Row[Any]:
    [row] = figures(session, workspace_id, statements.NPS, asked)
    return row


def names(
    session: Session, workspace_id: str, table: type[ProductFeature] | type[OnboardingStep]
) -> dict[str, str]:
    """Return by key what they are called."""
    rows = select(table.key, table.name).where(table.workspace_id == workspace_id)
    return {row.key: row.name for row in session.execute(rows.order_by(table.key))}


def figures(
    session: Session, workspace_id: str, statement: TextClause, asked: Asked, **values: object
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
