from datetime import date
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import owner


class OwnPlaybook(Table):
    """A playbook of a workspace's own, or its version of one that is shipped."""

    __tablename__ = "own_playbook"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    key: Mapped[Key] = mapped_column(primary_key=True)
    version: Mapped[int]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[Instant]
    updated_by: Mapped[str]


class Intervention(Table):
    """What is proposed for an account, what became of it, and what came of that.

    ``details``: the signal that is answered, texts by language, link, effect, as they are sent.
    ``changed_at``: when the state did. ``told_at``: when a message went out that it is suggested.
    ``baseline_on``: the day that outcomes are held against. ``outcomes``: by days after the end;
    ``outcome_due_on`` is the day of the next, null if none is to come.
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

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
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
    told_at: Mapped[Instant | None]
    decided_at: Mapped[Instant | None]
    done_at: Mapped[Instant | None]
    baseline_on: Mapped[date | None]
    outcome_due_on: Mapped[date | None]
    outcomes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class Experiment(Table):
    """Whether a playbook, or which version of it, helps. ``config``: arms, filter, metric, horizon.

    ``tally``: by arm the decided units and those that went well, for the ranking to read.
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

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
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
    """The arm of an account, fixed when it was first eligible.

    ``family`` is a salted hash of the family's first account: the unit that is compared.
    ``success`` is null until the horizon has passed.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        Index(None, "workspace_id", "experiment_id", "account_id"),
        Index("assignment_due_idx", "due_on", postgresql_where="success IS NULL"),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    experiment_id: Mapped[Key] = mapped_column(primary_key=True)
    arm: Mapped[Key]
    family: Mapped[Key]
    signal: Mapped[Key]
    assigned_on: Mapped[date]
    due_on: Mapped[date]
    success: Mapped[bool | None]
