from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.features.statements import PLAN_FOR_MANY_ROWS
from app.reports import asking_statements as statements
from app.reports.asked import Asked


def feedback(
    session: Session, workspace_id: str, asked: Asked, *, limit: int
) -> Sequence[Row[Any]]:
    values = {
        "workspace_id": workspace_id,
        "since": asked.since,
        "until": asked.until,
        "known_on": asked.known_on,
        "base_currency": asked.currency,
        "limit": limit,
    }
    session.execute(PLAN_FOR_MANY_ROWS)
    return session.execute(statements.FEEDBACK, values).all()


def arr_at_risk(session: Session, workspace_id: str, day: date) -> Sequence[Row[Any]]:
    """Return scored accounts and those at risk by renewal quarter, as of a day."""
    values = {"workspace_id": workspace_id, "day": day}
    return session.execute(statements.ARR_AT_RISK, values).all()
