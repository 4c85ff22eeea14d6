"""Tables of scorecards, benchmarks, scores, overrides and restatements."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Computed, Identity, Index, case, false, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class Scorecard(Table):
    """One immutable version of the scorecard of a workspace; one of them is active."""

    __tablename__ = "scorecard"
    __table_args__ = (
        Index(
            "scorecard_active_key", "workspace_id", unique=True, postgresql_where="state = 'active'"
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]
    created_by: Mapped[str]
    activated_at: Mapped[Instant | None]
    activated_by: Mapped[str | None]
    retired_at: Mapped[Instant | None]


class ScoreDefinition(Table):
    """All settings that a score depends on: scorecard, product features, plans, reach.

    ``digest`` is a hash of them.
    """

    __tablename__ = "score_definition"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    digest: Mapped[Key] = mapped_column(primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]


class Benchmark(Table):
    """What accounts are compared with in a month: usage at the last six month-ends, by segment.

    ``id``: a hash of the content. ``month``: the first day of the month. ``ranking_digest``: a hash
    of the settings that ranks depend on. ``config``: a benchmark by segment; the key "" is the
    whole workspace. ``provisional``: there is little data, so it is fitted again each day.
    ``accounts_known``, ``usage_rows``: how much data there was when it was fitted, and
    ``checked_at``: when that was last compared with the data of now.
    ``current``: false if another row replaced it; it stays for the scores that name it.
    """

    __tablename__ = "benchmark"
    __table_args__ = (Index(None, "workspace_id", "month", "ranking_digest"),)

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    month: Mapped[date]
    ranking_digest: Mapped[Key]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    provisional: Mapped[bool]
    current: Mapped[bool]
    computed_at: Mapped[Instant]
    accounts_known: Mapped[int | None]
    usage_rows: Mapped[int | None]
    checked_at: Mapped[Instant | None]


class ScoreOverride(Table):
    """A person's value that replaces the score of an account until it expires or is ended."""

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

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
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
    """A request to score past days again under the active scorecard; the original rows stay."""

    __tablename__ = "restatement"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
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
    """Generate a column from a number in ``details``; any other value becomes null."""
    return Computed(
        f"CASE WHEN jsonb_typeof({path}) = 'number'::text THEN ({path})::double precision"
        " ELSE NULL::double precision END",
        persisted=True,
    )


class HealthScore(Table):
    """The newest score of an account. ``details``: the fields of the API answer without a column.

    Fields of ``details`` that lists use are generated columns, because ``details`` is too large to
    be read for every account. Their days are texts, because only those can be generated; they sort
    like days. ``mrr_cents``: 0 while it is unknown; read ``KNOWN_MRR_CENTS``. ``recorded_…``: the
    values that the change feed recorded last.
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
    recorded_score: Mapped[float | None]
    recorded_band: Mapped[Key | None]
    recorded_status: Mapped[Key | None]
    renewal_on: Mapped[Key | None] = mapped_column(_text_in("renewal_on"))
    notice_on: Mapped[Key | None] = mapped_column(_text_in("notice_on"))
    last_used_on: Mapped[Key | None] = mapped_column(_text_in("last_used_on"))
    price_status: Mapped[Key | None] = mapped_column(_text_in("price_status"))
    currency: Mapped[Key | None] = mapped_column(_text_in("currency"))
    seats: Mapped[float | None] = mapped_column(_number_in("details -> 'seats'::text"))
    price_cents: Mapped[float | None] = mapped_column(_number_in("details -> 'price_cents'::text"))
    trend7: Mapped[float | None] = mapped_column(_number_in("details #> '{trend,d7}'::text[]"))
    trend28: Mapped[float | None] = mapped_column(_number_in("details #> '{trend,d28}'::text[]"))
    trend90: Mapped[float | None] = mapped_column(_number_in("details #> '{trend,d90}'::text[]"))
    value_leak_cents: Mapped[float | None] = mapped_column(
        _number_in("details #> '{entitlement,value_leak_cents}'::text[]")
    )


HAS_NO_RATE = func.coalesce(HealthScore.price_status == "no_rate", false())
KNOWN_MRR_CENTS = case((~HAS_NO_RATE, func.coalesce(HealthScore.mrr_cents, 0)))
"""The MRR of an account; null while a part of its price has no rate, 0 if it was never scored."""


class HealthHistory(Table):
    """The score of an account on a day: one row, and one more for each change of band.

    Each refresh updates today's last row; a row of a past day never changes. ``change``: number of
    band changes within the day so far. ``restatement``: number of the restatement that wrote the
    row; 0: as first written.
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
