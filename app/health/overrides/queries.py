"""What people say instead of scores."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Float, Row, case, cast, func, select, update
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import keyset_descending, same_account
from app.health.scoring.post_processing import Override
from app.health.tables import HealthScore, ScoreOverride


def load_overrides_at(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, at: datetime
) -> dict[str, Override]:
    """Return what held at an instant, by account."""
    rows = session.scalars(
        select(ScoreOverride)
        .where(
            ScoreOverride.workspace_id == workspace_id,
            ScoreOverride.account_id.in_(account_ids),
            ScoreOverride.created_at <= at,
            ScoreOverride.expires_at > at,
            func.coalesce(ScoreOverride.ended_at > at, True),
        )
        .order_by(ScoreOverride.id)
    )
    return {
        row.account_id: Override(row.value, row.reason, row.author, row.expires_at) for row in rows
    }


def find_running_override(
    session: Session, workspace_id: str, account_id: str
) -> ScoreOverride | None:
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
    **columns: Any,  # noqa: ANN401 - of the table
) -> ScoreOverride:
    row = ScoreOverride(workspace_id=workspace_id, account_id=account_id, **columns)
    session.add(row)
    session.flush()
    return row


def end_expired_overrides(session: Session, *, now: datetime) -> Sequence[Row[str, str]]:
    """End overrides whose time is over, in all workspaces; return workspaces and accounts."""
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
"""Those that the machine says nothing of come last."""


def list_overrides(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    running: bool,
    now: datetime,
) -> RowPage[Row[ScoreOverride, str | None, float | None, float | None, float]]:
    """Where people and machine differ most first: with account, machine's value and difference."""
    rows = (
        select(ScoreOverride, Account.name, MACHINE_VALUE, DIFFERENCE, ABSOLUTE_DIFFERENCE)
        .outerjoin(Account, same_account(Account, ScoreOverride))
        .outerjoin(HealthScore, same_account(HealthScore, ScoreOverride))
        .where(ScoreOverride.workspace_id == workspace_id)
    )
    if running:
        rows = rows.where(ScoreOverride.ended_at.is_(None), ScoreOverride.expires_at > now)
    place, before = (ABSOLUTE_DIFFERENCE, ScoreOverride.id), paging.after(float, int)
    rows = keyset_descending(rows, *place, before=before, limit=paging.fetch_limit)
    return RowPage(*paging.cut(session.execute(rows).all(), lambda row: (row[4], row[0].id)))
