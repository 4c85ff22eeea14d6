"""Queries of overrides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Float, Row, case, cast, func, select, update
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import keyset_descending, same_account
from app.health.tables import HealthScore, ScoreOverride


def find_running_override(
    session: Session, workspace_id: str, account_id: str
) -> ScoreOverride | None:
    """Return the override that has not ended, locked for update, or None."""
    return session.scalar(
        select(ScoreOverride)
        .where(
            ScoreOverride.workspace_id == workspace_id,
            ScoreOverride.account_id == account_id,
            ScoreOverride.ended_at.is_(None),
        )
        .with_for_update()
    )


def insert_override(
    session: Session,
    workspace_id: str,
    account_id: str,
    **columns: Any,  # noqa: ANN401 - columns of the table
) -> ScoreOverride:
    row = ScoreOverride(workspace_id=workspace_id, account_id=account_id, **columns)
    session.add(row)
    session.flush()
    return row


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
"""Overrides of accounts without a computed score come last."""


def list_overrides(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    running: bool,
    now: datetime,
) -> RowPage[Row[ScoreOverride, str | None, float | None, float | None, float]]:
    """Return a page of overrides, largest difference from the computed score first.

    Rows hold the override, account name, computed score, difference and sort key.
    """
    rows = (
        select(ScoreOverride, Account.name, MACHINE_VALUE, DIFFERENCE, ABSOLUTE_DIFFERENCE)
        .outerjoin(Account, same_account(Account, ScoreOverride))
        .outerjoin(HealthScore, same_account(HealthScore, ScoreOverride))
        .where(ScoreOverride.workspace_id == workspace_id)
    )
    if running:
        rows = rows.where(ScoreOverride.ended_at.is_(None), ScoreOverride.expires_at > now)
    order, before = (ABSOLUTE_DIFFERENCE, ScoreOverride.id), paging.position(float, int)
    rows = keyset_descending(rows, *order, before=before, limit=paging.fetch_limit)
    return RowPage(*paging.cut(session.execute(rows).all(), lambda row: (row[4], row[0].id)))
