"""The query of the people of an account."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.sql import load_sql
from app.reports.timeline.queries import SILENT_DAYS, USAGE_DAYS, USED_DAYS

SQL = load_sql(__file__)
START = (-1, "")
"""A position before the first person."""


def list_people(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    after: tuple[int, str],
    today: date,
    limit: int,
) -> Sequence[Row[Any]]:
    """Return people after a position, which is the rank and the id of a person."""
    values: dict[str, Any] = {"workspace_id": workspace_id, "account_id": account_id}
    values |= {"silent_days": SILENT_DAYS, "used_days": USED_DAYS, "usage_days": USAGE_DAYS}
    values |= {"rank": after[0], "user_id": after[1], "today": today, "limit": limit}
    return session.execute(SQL.people, values).all()
