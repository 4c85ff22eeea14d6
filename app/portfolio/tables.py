"""The table of saved segments, and indexes for the list of accounts by revenue at risk."""

from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.churn.tables import ChurnRisk
from app.core.db import Instant, Key
from app.health.tables import HealthScore
from app.workspaces.tables import WorkspaceTable


class SavedSegment(WorkspaceTable):
    """A filter with a name. Its accounts are not stored: each use evaluates the filter."""

    __tablename__ = "saved_segment"

    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


# For the list of accounts by revenue at risk: see revenue_at_risk_queries.py.
Index(
    "churn_risk_at_stake_idx",
    ChurnRisk.workspace_id,
    ChurnRisk.revenue_at_risk_cents.desc(),
    ChurnRisk.account_id,
    postgresql_where="probability IS NOT NULL OR level = 'high'",
)
Index(
    "health_score_at_stake_idx",
    HealthScore.workspace_id,
    HealthScore.mrr_cents.desc(),
    HealthScore.account_id,
    postgresql_where="band = 'at_risk'",
)
