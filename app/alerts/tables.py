from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, Sequence
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk

EVALUATION_NUMBERS = Sequence("alert_evaluation", metadata=Table.metadata)
"""Numbers of evaluations. They are drawn under the locks on scores, so they rise per account."""

NOTHING, OPENED, RESOLVED = "nothing", "opened", "resolved"
"""The values of ``Alert.last_notified``: the last notification sent about an alert."""

SCORE_OR_LEVEL = JSONB(none_as_null=True)
"""A JSON column for a score or the name of a risk level."""


class AlertRule(Table):
    """One immutable version of a rule. A built-in rule applies where no version is stored."""

    __tablename__ = "alert_rule"
    __table_args__ = (
        Index(
            "alert_rule_active_key", "workspace_id", "key", unique=True, postgresql_where="active"
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    active: Mapped[bool]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]
    created_by: Mapped[str]


class AlertState(Table):
    """The state of a rule for an account; no row means ok.

    ``config_offset``: by how much new settings or peers moved the value while they alone cause the
    breach, for the scoring context ``offset_context``. ``may_open``: whether an alert may open;
    false from a manual resolution until the breach is over. ``check_at``: when time alone may
    cause a transition.
    """

    __tablename__ = "alert_state"
    __table_args__ = (Index(None, "check_at", postgresql_where="check_at IS NOT NULL"),)

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
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
    may_open: Mapped[bool] = mapped_column(server_default="true")
    config_offset: Mapped[float] = mapped_column(server_default="0")
    offset_context: Mapped[str | None]
    check_at: Mapped[Instant | None]
    snoozed_until: Mapped[Instant | None]


class Alert(Table):
    """One episode of a rule for an account. A rule has at most one open alert for an account.

    ``current`` is the value at the opening, ``last`` the value at the resolution.
    ``last_notified``: the last notification that was sent: nothing, opened or resolved.
    ``notify_after``: the day whose sweep must finish before the held notification is sent; null if
    none is held.
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
        Index(None, "account_id", "workspace_id"),
        Index(None, "workspace_id", "notify_after", postgresql_where="notify_after IS NOT NULL"),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
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
    last_notified: Mapped[Key] = mapped_column(server_default="nothing")
    notify_after: Mapped[date | None]
