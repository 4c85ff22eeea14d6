"""The query of scores for the trace of an event."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.health.tables import HealthScore


def load_scores(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, HealthScore]:
    """Return the newest scores by account; accounts without a score are left out."""
    rows = session.scalars(
        select(HealthScore).where(
            HealthScore.workspace_id == workspace_id,
            HealthScore.account_id.in_(account_ids),
            HealthScore.as_of.is_not(None),
            HealthScore.data_through.is_not(None),
        )
    )
    return {row.account_id: row for row in rows}
