"""Queries of the accounts whose score moved the most."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Subquery, func, literal, select, true, union_all
from sqlalchemy.orm import Session, aliased

from app.accounts.tables import Account
from app.core.query_helpers import same_account
from app.health.scoring.assess import HealthStatus
from app.health.tables import KNOWN_MRR_CENTS, HealthHistory, HealthScore

LEAST_POINTS = 1.0
TRENDS = {7: HealthScore.trend7, 28: HealthScore.trend28, 90: HealthScore.trend90}
SCORED = (HealthStatus.OK, HealthStatus.OVERRIDDEN)


def list_movers(
    session: Session, workspace_id: str, *, days: int, owner: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Return the accounts that rose the most, then those that fell the most, by a point or more.

    Each has its history rows of then (``before``) and of now (``after``), or of the nearest day
    before; None if there is none.
    """
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
    moved = union_all(*parts).subquery("moved")
    before, after = (
        _history_row(name, workspace_id, moved, day)
        for name, day in (("before", moved.c.as_of - days), ("after", moved.c.as_of))
    )
    found = (
        select(moved, before, after)
        .select_from(moved)
        .outerjoin(before, true())
        .outerjoin(after, true())
    )
    order = (moved.c.direction.desc(), func.abs(moved.c.points).desc(), moved.c.account_id)
    return session.execute(found.order_by(*order)).all()


def _history_row(
    name: str, workspace_id: str, moved: Subquery, day: ColumnElement[date]
) -> type[HealthHistory]:
    """Return the score of each account on a day or the nearest day before, as first written."""
    rows = select(HealthHistory).where(
        HealthHistory.workspace_id == workspace_id,
        HealthHistory.account_id == moved.c.account_id,
        HealthHistory.as_of <= day,
        HealthHistory.restatement == 0,
    )
    newest = rows.order_by(HealthHistory.as_of.desc(), HealthHistory.change.desc()).limit(1)
    return aliased(HealthHistory, newest.lateral(), name=name)
