from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, TextClause
from sqlalchemy.orm import Session

from app.features.statements import PLAN_FOR_MANY_ROWS
from app.reports import churn_statements as statements
from app.reports.asked import Asked


def stays(session: Session, workspace_id: str, asked: Asked) -> Sequence[Row[Any]]:
    """Return who paid between the days: paid days, and of who left the day and the age."""
    return _rows(session, workspace_id, statements.STAYED, asked)


def after_signals(
    session: Session, workspace_id: str, asked: Asked, *, within: int
) -> Sequence[Row[Any]]:
    return _rows(session, workspace_id, statements.AFTER_SIGNALS, asked, within=within)


def with_features(
    session: Session, workspace_id: str, asked: Asked, *, within: int
) -> Sequence[Row[Any]]:
    """Count the paid days up to which, for so many days, a product feature was used."""
    return _rows(session, workspace_id, statements.WITH_FEATURES, asked, within=within)


def at_steps(session: Session, workspace_id: str, asked: Asked) -> Sequence[Row[Any]]:
    """Count the paid days by the step of onboarding that was not done; the empty key: all were."""
    return _rows(session, workspace_id, statements.AT_STEPS, asked)


def reasons(session: Session, workspace_id: str, asked: Asked) -> Sequence[Row[Any]]:
    return _rows(session, workspace_id, statements.REASONS, asked)


def _rows(
    session: Session, workspace_id: str, statement: TextClause, asked: Asked, **values: object
) -> Sequence[Row[Any]]:
    session.execute(PLAN_FOR_MANY_ROWS)
    known = {
        "workspace_id": workspace_id,
        "since": asked.since,
        "until": asked.until,
        "known_on": asked.known_on,
        "base_currency": asked.currency,
    }
    return session.execute(statement, known | values).all()
