from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Computed, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import owner


class Scorecard(Table):
    """One immutable version of how a workspace scores its accounts; one of them is active."""

    __tablename__ = "scorecard"
    __table_args__ = (
        Index(
            "scorecard_active_key", "workspace_id", unique=True, postgresql_where="state = 'active'"
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]
    created_by: Mapped[str]
    activated_at: Mapped[Instant | None]
    activated_by: Mapped[str | None]
    retired_at: Mapped[Instant | None]


class ScoreDefinition(Table):
    """All that a score means: scorecard, product features, plans, reach, under a hash of it."""

    __tablename__ = "score_definition"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    digest: Mapped[Key] = mapped_column(primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]


class Benchmark(Table):
    """What the accounts of each segment looked like at the last six month-ends.

    ``id`` is a hash of it. ``month`` is the first day of the month it is for, ``meaning`` a hash of
    what is ranked. ``config`` has a benchmark for each segment, the empty text: the workspace.
    A provisional one is built again each day. One that is not current explains older scores.
    """

    __tablename__ = "benchmark"
    __table_args__ = (Index(None, "workspace_id", "month", "meaning"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    month: Mapped[date]
    meaning: Mapped[Key]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    provisional: Mapped[bool]
    current: Mapped[bool]
    computed_at: Mapped[Instant]


class ScoreOverride(Table):
    """What a person says instead of the score, why, and until when."""

    __tablename__ = "score_override"
    __table_args__ = (
        CheckConstraint("value >= 0 AND value <= 100", name="value"),
        Index(
            "score_override_running_key",
            "workspace_id",
            "account_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[Key]
    value: Mapped[float]
    reason: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    ended_by: Mapped[str | None]


class Restatement(Table):
    """History rebuilt under another version of the scorecard; the original rows stay."""

    __tablename__ = "restatement"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    scorecard_version: Mapped[int]
    since: Mapped[date]
    until: Mapped[date]
    job_id: Mapped[Key]
    created_at: Mapped[Instant]
    created_by: Mapped[str]


def _text_in(name: str) -> Computed:
    return Computed(f"details ->> '{name}'::text", persisted=True)


def _number_in(path: str) -> Computed:
    """Take a number out of ``details``; anything else is null and stops no score."""
    return Computed(
        f"CASE WHEN jsonb_typeof({path}) = 'number'::text THEN ({path})::double precision"
        " ELSE NULL::double precision END",
        persisted=True,
    )


class HealthScore(Table):
    """The newest score of an account. ``details`` holds the rest of the answer as it is sent.

    What lists ask of the details is generated as columns: details are too large to be read for
    every account. Days are texts, for only those can be generated; they sort as days do.
    ``told_…`` is what readers of changes were last told.
    """

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
    told_score: Mapped[float | None]
    told_band: Mapped[Key | None]
    told_status: Mapped[Key | None]
    renewal_on: Mapped[Key | None] = mapped_column(_text_in("renewal_on"))
    notice_on: Mapped[Key | None] = mapped_column(_text_in("notice_on"))
    last_used_on: Mapped[Key | None] = mapped_column(_text_in("last_used_on"))
    currency: Mapped[Key | None] = mapped_column(_text_in("currency"))
    seats: Mapped[float | None] = mapped_column(_number_in("details -> 'seats'::text"))
    price_cents: Mapped[float | None] = mapped_column(_number_in("details -> 'price_cents'::text"))
    trend7: Mapped[float | None] = mapped_column(_number_in("details #> '{trend,d7}'::text[]"))
    trend28: Mapped[float | None] = mapped_column(_number_in("details #> '{trend,d28}'::text[]"))
    trend90: Mapped[float | None] = mapped_column(_number_in("details #> '{trend,d90}'::text[]"))
    value_leak_cents: Mapped[float | None] = mapped_column(
        _number_in("details #> '{entitlement,value_leak_cents}'::text[]")
    )


class HealthHistory(Table):
    """How an account stood on a day: one row, and one more for each change of band.

    The last row of today follows the score; a row of a closed day never changes. ``restatement``
    numbers later views of the same day; 0 is how it was first written.
    """

    __tablename__ = "health_history"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(primary_key=True)
    restatement: Mapped[int] = mapped_column(primary_key=True, server_default="0")
    change: Mapped[int] = mapped_column(primary_key=True)
    score: Mapped[float | None]
    band: Mapped[Key]
    status: Mapped[Key]
    coverage: Mapped[float]
    mrr_cents: Mapped[int] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    computed_at: Mapped[Instant]
