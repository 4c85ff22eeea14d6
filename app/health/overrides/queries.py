"""Queries of overrides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Float, Row, case, cast, func, select, update
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.changes.sort_change_queries import list_stable_rows, stable_position
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import same_account
from app.health.tables import HealthScore, ScoreOverride


def find_running_override(
    session: Session, workspace_id: str, account_id: str
) -> ScoreOverride | None:
    """Return the override that has not ended, locked for update, or None."""
    rows = select(ScoreOverride).filter_by(
        workspace_id=workspace_id, account_id=account_id, ended_at=None
    )
    return session.scalar(rows.with_for_update())


def end_expired_overrides(session: Session, *, now: datetime) -> Sequence[Row[str, str]]:
    """End expired overrides in all workspaces; return their workspace and account ids."""
    return session.execute(
        update(ScoreOverride)
        .where(ScoreOverride.ended_at.is_(None), ScoreOverride.expires_at <= now)
        .values(ended_at=ScoreOverride.expires_at, ended_by="expiry")
        .returning(ScoreOverride.workspace_id, ScoreOverride.account_id)
    ).all()


MACHINE_VALUE = case(
    (
        func.jsonb_typeof(HealthScore.details["machine"]) == "object",
        cast(HealthScore.details["machine"]["value"].astext, Float),
    ),
    else_=HealthScore.score,
)
DIFFERENCE = ScoreOverride.value - MACHINE_VALUE
ABSOLUTE_DIFFERENCE = func.coalesce(func.abs(DIFFERENCE), -1.0)
"""Sort key of the list: -1 without a computed score, so that these overrides come last."""


def list_overrides(
    session: Session, workspace_id: str, paging: Paging, *, running: bool, now: datetime
) -> RowPage[Row[*tuple[Any, ...]]]:
    """Return a page of overrides, largest difference from the computed score first.

    Rows hold the override, account name, computed score and difference of now, and the difference
    at the snapshot of the list, by which they are sorted.
    """
    rows = (
        select(ScoreOverride, Account.name, MACHINE_VALUE, DIFFERENCE)
        .outerjoin(Account, same_account(Account, ScoreOverride))
        .outerjoin(HealthScore, same_account(HealthScore, ScoreOverride))
        .where(ScoreOverride.workspace_id == workspace_id)
    )
    if running:
        rows = rows.where(ScoreOverride.ended_at.is_(None), ScoreOverride.expires_at > now)
    position = stable_position(session, workspace_id, paging, *(float, int), now=now)
    page = list_stable_rows(
        session,
        workspace_id,
        rows,
        position,
        key={"account_id": ScoreOverride.account_id},
        value=ABSOLUTE_DIFFERENCE,
        id_column=ScoreOverride.__table__.columns["id"],
        named={"machine_value": MACHINE_VALUE},
        limit=paging.fetch_limit,
    )
    return paging.cut(page, lambda row: (*row[4:], *position.snapshot.cursor_parts()))
