from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.reports import churn_statements as statements
from app.reports.asked import Asked
from app.reports.queries import figures


def stays(session: Session, workspace_id: str, asked: Asked) -> Sequence[Row[Any]]:
    """Return who paid between the days: paid days, and of who left the day and the age."""
    return figures(session, workspace_id, statements.STAYED, asked)


def after_signals(
    session: Session, workspace_id: str, asked: Asked, *, within: int
) -> Sequence[Row[Any]]:
    return figures(session, workspace_id, statements.AFTER_SIGNALS, asked, within=within)


def with_features(
    session: Session, workspace_id: str, asked: Asked, *, within: int
) -> Sequence[Row[Any]]:
    """Count the paid days up to which, for so many days, a product feature was used."""
    return figures(session, workspace_id, statements.WITH_FEATURES, asked, within=within)


def at_steps(session: Session, workspace_id: str, asked: Asked) -> Sequence[Row[Any]]:
    """Count the paid days by the step of onboarding that was not done; the empty key: all were."""
    return figures(session, workspace_id, statements.AT_STEPS, asked)


def reasons(session: Session, workspace_id: str, asked: Asked) -> Sequence[Row[Any]]:
    return figures(session, workspace_id, statements.REASONS, asked)
