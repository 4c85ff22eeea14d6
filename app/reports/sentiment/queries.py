"""Queries of disagreements between the sentiment of owners and the bands of scores."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, RowMapping
from sqlalchemy.orm import Session

from app.accounts.renewals import grace_days
from app.collaboration.agreement import BAD, GOOD
from app.core.query_helpers import known_mrr_cents
from app.core.sql import load_sql

SQL = load_sql(__file__, known_mrr_cents=f"({known_mrr_cents('h')})")


def list_current(
    session: Session, workspace_id: str, *, owner: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Return the accounts about which owner and score disagree now, the most revenue first."""
    values = {"workspace_id": workspace_id, "good": GOOD, "bad": BAD}
    return session.execute(SQL.current, {**values, "owner": owner, "limit": limit}).all()


def load_decided(
    session: Session, workspace_id: str, *, horizon: int, today: date
) -> Sequence[RowMapping]:
    """Return the disagreements of which it is known who was right, by account and time."""
    values = {"workspace_id": workspace_id, "good": GOOD, "bad": BAD, "horizon": horizon}
    values |= {"grace": grace_days(session), "today": today}
    return session.execute(SQL.decided, values).mappings().all()
