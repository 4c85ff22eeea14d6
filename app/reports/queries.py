from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.accounts.tables import ProductFeature
from app.engagement.tables import OnboardingStep
from app.features.statements import PLAN_FOR_MANY_ROWS
from app.reports import statements
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


def revenue_retention(
    session: Session,
    workspace_id: str,
    *,
    since: date,
    until: date,
    known_on: date,
    base_currency: str,
) -> Revenue:
    values = {
        "workspace_id": workspace_id,
        "since": since,
        "until": until,
        "known_on": known_on,
        "base_currency": base_currency,
    }
    return Revenue(*map(int, _rows(session, statements.REVENUE_RETENTION, values)[0]))


@dataclass(frozen=True, slots=True)
class Lived:
    """Lifetimes of the counted accounts by segment (the empty text: none), and who is left out."""

    by_segment: dict[str, Lifetimes]
    excluded: int
    no_rate: int


def lifetimes(
    session: Session, workspace_id: str, *, on: date, known_on: date, base_currency: str
) -> Lived:
    values = {
        "workspace_id": workspace_id,
        "on": on,
        "known_on": known_on,
        "base_currency": base_currency,
    }
    rows = _rows(session, statements.LIFETIMES, values)
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


def cohorts(
    session: Session,
    workspace_id: str,
    *,
    first: date,
    until: date,
    known_on: date,
    seen_at: datetime,
    base_currency: str,
) -> Sequence[Row[Any]]:
    """Return a row for each start month and each month since: size, accounts, cents, score.

    A month is looked at on its last day, the last one on ``until``.
    """
    values = {
        "workspace_id": workspace_id,
        "first": first,
        "last": until.replace(day=1),
        "until": until,
        "known_on": known_on,
        "seen_at": seen_at,
        "base_currency": base_currency,
    }
    return _rows(session, statements.COHORTS, values)


def distribution(session: Session, workspace_id: str, days: Sequence[date]) -> Sequence[Row[Any]]:
    """Return accounts, MRR and mean score by day and band."""
    values = {"workspace_id": workspace_id, "days": list(days)}
    return _rows(session, statements.DISTRIBUTION, values)


def first_value(
    session: Session,
    workspace_id: str,
    *,
    since: date,
    until: date,
    known_on: date,
    event_names: Sequence[str],
) -> Sequence[Row[Any]]:
    values = {
        "workspace_id": workspace_id,
        "since": since,
        "until": until,
        "known_on": known_on,
        "event_names": list(event_names),
    }
    return _rows(session, statements.FIRST_VALUE, values)


def product_events(session: Session, workspace_id: str) -> list[str]:
    """Name the events of all configured product features."""
    named = select(ProductFeature.event_names).where(ProductFeature.workspace_id == workspace_id)
    return sorted({name for names in session.scalars(named) for name in names})


def repurchases(
    session: Session,
    workspace_id: str,
    *,
    since: date,
    until: date,
    within: int,
    known_on: date,
    event_names: Sequence[str],
) -> Row[Any]:
    """Count buyers whose first purchase lies within the days, and who of them bought again."""
    values = {
        "workspace_id": workspace_id,
        "since": since,
        "until": until,
        "within": within,
        "known_on": known_on,
        "event_names": list(event_names),
    }
    return _rows(session, statements.REPURCHASES, values)[0]


def purchase_value(
    session: Session,
    workspace_id: str,
    *,
    on: date,
    months: int,
    event_names: Sequence[str],
    amount: str,
) -> Sequence[Row[Any]]:
    """Return for each month of age: accounts observed to its end, accounts that bought, amount."""
    values = {
        "workspace_id": workspace_id,
        "on": on,
        "months": months,
        "event_names": list(event_names),
        "property": amount,
    }
    return _rows(session, statements.PURCHASE_VALUE, values)


def nps(
    session: Session, workspace_id: str, *, since: date, until: date, known_on: date
) -> Row[Any]:
    values = {
        "workspace_id": workspace_id,
        "since": since,
        "until": until,
        "known_on": known_on,
    }
    return _rows(session, statements.NPS, values)[0]


def names(
    session: Session, workspace_id: str, table: type[ProductFeature] | type[OnboardingStep]
) -> dict[str, str]:
    """Return by key what they are called."""
    rows = select(table.key, table.name).where(table.workspace_id == workspace_id)
    return {row.key: row.name for row in session.execute(rows.order_by(table.key))}


def _rows(session: Session, statement: Any, values: dict[str, Any]) -> Sequence[Row[Any]]:  # noqa: ANN401 - text
    session.execute(PLAN_FOR_MANY_ROWS)
    return session.execute(statement, values).all()
