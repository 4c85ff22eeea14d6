from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.accounts.tables import User
from app.churn.tables import ChurnRiskHistory
from app.health.tables import HealthHistory
from app.interventions.states import InterventionState
from app.interventions.tables import Intervention

COMPLETED, UPCOMING = (
    (InterventionState.DONE, InterventionState.EVALUATED),
    (InterventionState.SUGGESTED, InterventionState.ACCEPTED, InterventionState.IN_PROGRESS),
)
MAX_STEPS = 3


def list_weekly_history(
    session: Session, workspace_id: str, account_id: str, *, since: date, until: date
) -> Sequence[Row[Any]]:
    """List the last history row of each week, with the account's measures."""
    history, week = HealthHistory, func.date_trunc("week", HealthHistory.as_of)
    rows = select(
        history.as_of,
        history.score,
        history.band,
        history.details["measures"].label("measures"),
        history.details["price_cents"].label("price_cents"),
    ).where(
        history.workspace_id == workspace_id,
        history.account_id == account_id,
        history.as_of.between(since, until),
    )
    newest = (history.as_of.desc(), history.restatement.desc(), history.change.desc())
    return session.execute(rows.ext(distinct_on(week)).order_by(week, *newest)).all()


def find_churn_risk(
    session: Session, workspace_id: str, account_id: str, *, day: date
) -> ChurnRiskHistory | None:
    """Find the newest churn risk up to a day."""
    rows = select(ChurnRiskHistory).where(
        ChurnRiskHistory.workspace_id == workspace_id,
        ChurnRiskHistory.account_id == account_id,
        ChurnRiskHistory.as_of <= day,
    )
    return session.scalar(rows.order_by(ChurnRiskHistory.as_of.desc()).limit(1))


def list_completed_interventions(
    session: Session, workspace_id: str, account_id: str, *, since: datetime, before: datetime
) -> Sequence[Intervention]:
    """List the interventions that were done within an interval, oldest first."""
    rows = select(Intervention).where(
        Intervention.workspace_id == workspace_id,
        Intervention.account_id == account_id,
        Intervention.state.in_(COMPLETED),
        Intervention.done_at >= since,
        Intervention.done_at < before,
    )
    return session.scalars(rows.order_by(Intervention.done_at, Intervention.id)).all()


def list_upcoming_interventions(
    session: Session, workspace_id: str, account_id: str, *, before: datetime
) -> Sequence[Intervention]:
    """List at most three suggested, accepted or running interventions, by rank."""
    rows = select(Intervention).where(
        Intervention.workspace_id == workspace_id,
        Intervention.account_id == account_id,
        Intervention.state.in_(UPCOMING),
        Intervention.created_at < before,
    )
    by_rank = (Intervention.rank.nulls_last(), Intervention.id)
    return session.scalars(rows.order_by(*by_rank).limit(MAX_STEPS)).all()


def count_users(session: Session, workspace_id: str, account_id: str) -> int:
    """Count the people of an account, without those that are left out of everything counted."""
    people = select(func.count()).where(
        User.workspace_id == workspace_id, User.account_id == account_id, ~User.excluded
    )
    return session.scalar(people) or 0


def load_user_names(
    session: Session, workspace_id: str, user_ids: Collection[str]
) -> Mapping[str, str]:
    """Return the names of users by id. Users without a name are left out."""
    rows = select(User.user_id, User.name).where(
        User.workspace_id == workspace_id, User.user_id.in_(user_ids), User.name.is_not(None)
    )
    return {row.user_id: row.name for row in session.execute(rows)}
