"""Restatements, and the history rows that they add."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.health import statements
from app.health.assess import Assessment
from app.health.tables import Restatement


def newest_restatement(session: Session, workspace_id: str) -> int:
    """Return 0 where there is none."""
    newest = select(func.max(Restatement.number)).where(Restatement.workspace_id == workspace_id)
    return session.scalar(newest) or 0


def add_restatement(
    session: Session,
    workspace_id: str,
    number: int,
    **columns: Any,  # noqa: ANN401 - of the table
) -> Restatement:
    row = Restatement(workspace_id=workspace_id, number=number, **columns)
    session.add(row)
    session.flush()
    return row


def list_restatements(
    session: Session, workspace_id: str, *, before: int | None, limit: int
) -> Sequence[Restatement]:
    """Newest first."""
    rows = select(Restatement).where(Restatement.workspace_id == workspace_id)
    if before is not None:
        rows = rows.where(Restatement.number < before)
    return session.scalars(rows.order_by(Restatement.number.desc()).limit(limit)).all()


def write_restated(
    session: Session,
    workspace_id: str,
    number: int,
    assessments: Sequence[Assessment],
    *,
    as_of: date,
    now: datetime,
) -> None:
    """Write one row for each account of a day, beside those that are there."""
    values = {
        "workspace_id": workspace_id,
        "restatement": number,
        "as_of": as_of,
        "now": now,
        "rows": orjson.dumps(assessments).decode(),
    }
    session.execute(statements.RESTATE_HISTORY, values)
