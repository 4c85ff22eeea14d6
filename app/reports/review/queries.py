from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.accounts.tables import User
from app.churn.tables import ChurnRiskHistory
from app.engagement.tables import Ticket
from app.health.tables import HealthHistory
from app.interventions.states import InterventionState
from app.interventions.tables import Intervention

DAY = timedelta(days=1)
COMPLETED, UPCOMING = (
    (InterventionState.DONE, InterventionState.EVALUATED),
    (InterventionState.SUGGESTED, InterventionState.ACCEPTED, InterventionState.IN_PROGRESS),
)
MAX_STEPS = 3


def list_weekly_history(
    session: Session, workspace_id: str, account_id: str, *, since: date, until: date
) -> Sequence[Row[Any]]:
    """Return the last row of each week, with what the account measured then."""
    week = func.date_trunc("week", HealthHistory.as_of)
    return session.execute(
        select(
            HealthHistory.as_of,
            HealthHistory.score,
            HealthHistory.band,
            HealthHistory.details["measures"].label("measures"),
            HealthHistory.details["price_cents"].label("price_cents"),
        )
        .ext(distinct_on(week))
        .where(
            HealthHistory.workspace_id == workspace_id,
            HealthHistory.account_id == account_id,
            HealthHistory.as_of.between(since, until),
        )
        .order_by(
            week,
            HealthHistory.as_of.desc(),
            HealthHistory.restatement.desc(),
            HealthHistory.change.desc(),
        )
    ).all()


def find_churn_risk(
    session: Session, workspace_id: str, account_id: str, *, day: date
) -> ChurnRiskHistory | None:
    return session.scalar(
        select(ChurnRiskHistory)
        .where(
            ChurnRiskHistory.workspace_id == workspace_id,
            ChurnRiskHistory.account_id == account_id,
            ChurnRiskHistory.as_of <= day,
        )
        .order_by(ChurnRiskHistory.as_of.desc())
        .limit(1)
    )


def list_tickets(
    session: Session, workspace_id: str, account_id: str, *, since: datetime, before: datetime
) -> Sequence[Ticket]:
    return session.scalars(
        select(Ticket).where(
            Ticket.workspace_id == workspace_id,
            Ticket.account_id == account_id,
            Ticket.opened_at >= since,
            Ticket.opened_at < before,
        )
    ).all()


def list_completed_interventions(
    session: Session, workspace_id: str, account_id: str, *, since: datetime, before: datetime
) -> Sequence[Intervention]:
    return session.scalars(
        select(Intervention)
        .where(
            Intervention.workspace_id == workspace_id,
            Intervention.account_id == account_id,
            Intervention.state.in_(COMPLETED),
            Intervention.done_at >= since,
            Intervention.done_at < before,
        )
        .order_by(Intervention.done_at, Intervention.id)
    ).all()


def list_upcoming_interventions(
    session: Session, workspace_id: str, account_id: str, *, before: datetime
) -> Sequence[Intervention]:
    """Return what is proposed or under way, the first in rank first."""
    return session.scalars(
        select(Intervention)
        .where(
            Intervention.workspace_id == workspace_id,
            Intervention.account_id == account_id,
            Intervention.state.in_(UPCOMING),
            Intervention.created_at < before,
        )
        .order_by(Intervention.rank.nulls_last(), Intervention.id)
        .limit(MAX_STEPS)
    ).all()


def load_user_names(
    session: Session, workspace_id: str, user_ids: Collection[str]
) -> Mapping[str, str]:
    """Name those who have told their name."""
    rows = session.execute(
        select(User.user_id, User.name).where(
            User.workspace_id == workspace_id, User.user_id.in_(user_ids), User.name.is_not(None)
        )
    )
    return {row.user_id: row.name for row in rows}
