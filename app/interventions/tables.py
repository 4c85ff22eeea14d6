from datetime import date
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class OwnPlaybook(Table):
    """A workspace's own playbook, or its version of a shipped one."""

    __tablename__ = "own_playbook"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    version: Mapped[int]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[Instant]
    updated_by: Mapped[str]


class Intervention(Table):
    """A suggestion for an account, the decision on it, and its outcome.

    ``details``: severity and evidence of the signal, texts by language, link, expected effect.
    ``changed_at``: when the state last changed. ``notified_at``: when the message about the
    suggestion was sent. ``outcomes``: days after completion (30, 90) to the outcome, compared with
    the account on ``baseline_on``. ``outcome_due_on``: the day of the next outcome, else null.
    """

    __tablename__ = "intervention"
    __table_args__ = (
        Index(None, "account_id", "workspace_id"),
        Index(
            "intervention_suggested_idx",
            "workspace_id",
            "value_cents",
            "id",
            postgresql_where="state = 'suggested'",
        ),
        Index(
            "intervention_due_idx",
            "outcome_due_on",
            postgresql_where="outcome_due_on IS NOT NULL",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]
    playbook: Mapped[Key]
    state: Mapped[Key]
    signal: Mapped[Key | None]
    rank: Mapped[int | None]
    value_cents: Mapped[float]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    experiment_id: Mapped[Key | None]
    arm: Mapped[Key | None]
    assignee: Mapped[str | None]
    due_on: Mapped[date | None]
    notes: Mapped[str | None]
    reason: Mapped[str | None]
    created_at: Mapped[Instant]
    changed_at: Mapped[Instant]
    notified_at: Mapped[Instant | None]
    decided_at: Mapped[Instant | None]
    done_at: Mapped[Instant | None]
    baseline_on: Mapped[date | None]
    outcome_due_on: Mapped[date | None]
    outcomes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class Experiment(Table):
    """A test whether a playbook, or which version of it, helps. ``config``: the design.

    ``tally``: assigned, decided and successful units by arm, for the ranking.
    """

    __tablename__ = "experiment"
    __table_args__ = (
        Index(
            "experiment_running_key",
            "workspace_id",
            "playbook",
            unique=True,
            postgresql_where="state = 'running'",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    playbook: Mapped[Key]
    state: Mapped[Key]
    salt: Mapped[str]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tally: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    winner: Mapped[Key | None]
    created_at: Mapped[Instant]
    created_by: Mapped[str]
    ended_at: Mapped[Instant | None]


class Assignment(Table):
    """The arm of an account, fixed when the account was first eligible.

    ``family`` is a salted hash of the family's root account on that day: families are the units
    compared. ``merge_id`` is empty; an assignment that came with a merged account has a random one,
    so that it stays beside the account's own. ``success`` is null until the horizon has passed.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        Index(None, "workspace_id", "experiment_id", "account_id"),
        Index("assignment_due_idx", "due_on", postgresql_where="success IS NULL"),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    experiment_id: Mapped[Key] = mapped_column(primary_key=True)
    merge_id: Mapped[Key] = mapped_column(primary_key=True, server_default="")
    arm: Mapped[Key]
    family: Mapped[Key]
    signal: Mapped[Key]
    assigned_on: Mapped[date]
    due_on: Mapped[date]
    success: Mapped[bool | None]
