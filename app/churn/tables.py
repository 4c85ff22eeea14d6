from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


class ChurnModel(Table):
    """A trained model with its card; at most one is active, the others are kept beside it.

    ``head`` and ``trees`` are the model, under the hash ``sha256``. ``data_through`` is the last
    observed day it learnt from, ``known_through`` the day on which that row's outcome was known.
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

    workspace_id: Mapped[Key] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
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
