"""Queries of the accounts whose score moved the most."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, literal, select, union_all
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.core.query_helpers import same_account
from app.core.sql import load_sql
from app.health.scoring.assess import HealthStatus
from app.health.tables import KNOWN_MRR_CENTS, HealthHistory, HealthScore

SQL = load_sql(__file__)
LEAST_POINTS = 1.0
TRENDS = {7: HealthScore.trend7, 28: HealthScore.trend28, 90: HealthScore.trend90}
SCORED = (HealthStatus.OK, HealthStatus.OVERRIDDEN)


def list_movers(
    session: Session, workspace_id: str, *, days: int, owner: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Return the accounts that rose the most, then those that fell the most, by a point or more."""
    trend = TRENDS[days]
    rows = (
        select(
            Account.account_id,
            Account.name,
            Account.owner,
            HealthScore.score,
            HealthScore.band,
            HealthScore.as_of,
            trend.label("points"),
            (12 * KNOWN_MRR_CENTS).label("arr_cents"),
        )
        .join_from(Account, HealthScore, same_account(HealthScore, Account))
        .where(Account.workspace_id == workspace_id, HealthScore.status.in_(SCORED))
    )
    if owner is not None:
        rows = rows.where(Account.owner == owner)
    risen = rows.where(trend >= LEAST_POINTS).order_by(trend.desc(), Account.account_id)
    fallen = rows.where(trend <= -LEAST_POINTS).order_by(trend, Account.account_id)
    parts = (
        select(literal(name).label("direction"), each.limit(limit).subquery())
        for name, each in (("up", risen), ("down", fallen))
    )
    return session.execute(union_all(*parts)).all()


def load_history_rows(
    session: Session, workspace_id: str, wanted: Collection[tuple[str, date]]
) -> Sequence[HealthHistory]:
    """Return the rows of accounts on days, or of the nearest day before, in the wanted order."""
    ids, days = ([each[position] for each in wanted] for position in (0, 1))
    values = {"workspace_id": workspace_id, "account_ids": ids, "days": days}
    return session.scalars(select(HealthHistory).from_statement(SQL.history_rows), values).all()
