from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class ChurnModel(Table):
    """A trained model with its card. At most one model of a workspace is active.

    ``head`` and ``trees`` are the artifact with the hash ``sha256``. ``data_through`` is the last
    observation day of the training data, ``known_through`` the day on which that row's outcome was
    known. ``recalibrations``: by ``starts_on``, the first day of the risks that each applies to.
    """

    __tablename__ = "churn_model"
    __table_args__ = (
        Index(
            "churn_model_active_key",
            "workspace_id",
            unique=True,
            postgresql_where="state = 'active'",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    stage: Mapped[str]
    horizon_days: Mapped[int]
    data_through: Mapped[date]
    known_through: Mapped[date]
    card: Mapped[dict[str, Any]] = mapped_column(JSONB)
    head: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    trees: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str]
    created_at: Mapped[Instant]
    created_by: Mapped[str]
    activated_at: Mapped[Instant | None]
    activated_by: Mapped[str | None]
    retired_at: Mapped[Instant | None]
    recalibrations: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default="[]"
    )


class ChurnScoringContext(Table):
    """What a workspace's accounts are scored with: horizon, event names, and medians."""

    __tablename__ = "churn_scoring_context"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    horizon_days: Mapped[int]
    basis: Mapped[Key]
    event_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    medians: Mapped[dict[str, float]] = mapped_column(JSONB)
    accounts: Mapped[int]
    computed_on: Mapped[date]


class _RiskColumns:
    """The churn risk of an account as of a day that is over.

    ``risk`` orders accounts: the probability, or with rules a hundredth of the points.
    ``revenue_at_risk_cents`` is 0 for an account that only its band puts at risk: readers add it
    (``app/portfolio/revenue_at_risk_queries.py``).
    """

    status: Mapped[Key]
    level: Mapped[Key | None]
    probability: Mapped[float | None]
    probability_low: Mapped[float | None]
    probability_high: Mapped[float | None]
    risk: Mapped[float | None]
    stage: Mapped[Key]
    model_version: Mapped[int | None]
    horizon_days: Mapped[int]
    revenue_at_risk_cents: Mapped[int] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    computed_at: Mapped[Instant]


class ChurnRisk(_RiskColumns, Table):
    """The newest churn risk of an account. ``as_of``: None if it must be computed again."""

    __tablename__ = "churn_risk"
    __table_args__ = (Index(None, "workspace_id", "risk", "account_id"),)

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    as_of: Mapped[date | None]
    mrr_cents: Mapped[int] = mapped_column(BigInteger)


class ChurnRiskHistory(_RiskColumns, Table):
    """The churn risk of an account on the days on which it or the price moved.

    ``mrr_cents``: None in rows of older releases without a probability.
    """

    __tablename__ = "churn_risk_history"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(primary_key=True)
    mrr_cents: Mapped[int | None] = mapped_column(BigInteger)
