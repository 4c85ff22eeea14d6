from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


class Scorecard(Table):
    """One immutable version of how a workspace scores its accounts."""

    __tablename__ = "scorecard"

    workspace_id: Mapped[Key] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    activated_at: Mapped[Instant]


class Benchmark(Table):
    """What the accounts of a segment looked like at the last six month-ends.

    ``segment`` empty: the whole workspace. ``month`` is the first day of the month it is for;
    ``definition`` a hash of what the measures mean. A provisional one is built again each day.
    """

    __tablename__ = "benchmark"

    workspace_id: Mapped[Key] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    segment: Mapped[Key] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    definition: Mapped[Key] = mapped_column(primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    provisional: Mapped[bool]
    computed_at: Mapped[Instant]


class HealthScore(Table):
    """The newest score of an account. ``details`` holds the rest of the answer as it is sent."""

    __tablename__ = "health_score"
    __table_args__ = (Index(None, "workspace_id", "score", "account_id"),)

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    as_of: Mapped[date | None]
    score: Mapped[float | None]
    band: Mapped[Key] = mapped_column(server_default="unknown")
    status: Mapped[Key] = mapped_column(server_default="insufficient_data")
    coverage: Mapped[float] = mapped_column(server_default="0")
    mrr_cents: Mapped[int] = mapped_column(BigInteger, server_default="0")
    plan: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    data_through: Mapped[Instant | None]
    computed_at: Mapped[Instant | None]


class HealthHistory(Table):
    """How an account stood on a day: one row, and one more for each change of band.

    The last row of today follows the score; a row of a closed day never changes.
    """

    __tablename__ = "health_history"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(primary_key=True)
    score: Mapped[float | None]
    band: Mapped[Key]
    status: Mapped[Key]
    coverage: Mapped[float]
    mrr_cents: Mapped[int] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    computed_at: Mapped[Instant]
