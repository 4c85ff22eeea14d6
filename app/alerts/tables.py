from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, Sequence
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import owner

EVALUATION_NUMBERS = Sequence("alert_evaluation", metadata=Table.metadata)
"""Numbers evaluations. Taken under the locks on scores, they rise for each account."""

SCORE_OR_LEVEL = JSONB(none_as_null=True)
"""A score, or the name of a level."""


class AlertRule(Table):
    """One immutable version of a rule; the active one holds. Without one, a built-in may."""

    __tablename__ = "alert_rule"
    __table_args__ = (
        Index(
            "alert_rule_active_key",
            "workspace_id",
            "key",
            unique=True,
            postgresql_where="active",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    active: Mapped[bool]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]
    created_by: Mapped[str]


class AlertState(Table):
    """Where a rule stands with an account; no row is plainly ok.

    ``shift``: by how much other settings or peers moved the number while they alone made the
    breach, as of ``yardstick``. ``check_at``: when time alone may bring the next change.
    """

    __tablename__ = "alert_state"
    __table_args__ = (Index(None, "check_at", postgresql_where="check_at IS NOT NULL"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    rule_key: Mapped[Key] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    phase: Mapped[Key]
    since: Mapped[Instant | None]
    episode: Mapped[int] = mapped_column(server_default="0")
    openings: Mapped[list[datetime]] = mapped_column(
        ARRAY(DateTime(timezone=True)), server_default="{}"
    )
    resolved_at: Mapped[Instant | None]
    armed: Mapped[bool] = mapped_column(server_default="true")
    shift: Mapped[float] = mapped_column(server_default="0")
    yardstick: Mapped[str | None]
    check_at: Mapped[Instant | None]
    snoozed_until: Mapped[Instant | None]


class Alert(Table):
    """An episode of a rule and an account; of each pair one at most is open.

    ``current`` is what it was when it opened, ``last`` when it was resolved.
    ``told``: what others were last told of it: nothing, opened, resolved. ``owed_on``: there is
    more to tell, by the end of the sweep of that day.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "alert_open_key",
            "workspace_id",
            "account_id",
            "rule_key",
            unique=True,
            postgresql_where="resolved_at IS NULL",
        ),
        Index(None, "workspace_id", "opened_at"),
        Index(None, "workspace_id", "owed_on", postgresql_where="owed_on IS NOT NULL"),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]
    rule_key: Mapped[Key]
    rule_version: Mapped[int]
    rule_name: Mapped[str]
    signal: Mapped[str]
    severity: Mapped[Key]
    episode: Mapped[int]
    sequence: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[Instant]
    condition: Mapped[str]
    direction: Mapped[Key]
    previous: Mapped[Any | None] = mapped_column(SCORE_OR_LEVEL)
    current: Mapped[Any | None] = mapped_column(SCORE_OR_LEVEL)
    threshold: Mapped[Any | None] = mapped_column(SCORE_OR_LEVEL)
    last: Mapped[Any | None] = mapped_column(SCORE_OR_LEVEL)
    drivers: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    scorecard_version: Mapped[int | None]
    model_version: Mapped[str | None]
    assignee: Mapped[str | None]
    acknowledged_at: Mapped[Instant | None]
    acknowledged_by: Mapped[str | None]
    resolved_at: Mapped[Instant | None]
    resolution: Mapped[str | None]
    feedback: Mapped[Key | None]
    feedback_note: Mapped[str | None]
    feedback_at: Mapped[Instant | None]
    told: Mapped[Key] = mapped_column(server_default="nothing")
    owed_on: Mapped[date | None]
