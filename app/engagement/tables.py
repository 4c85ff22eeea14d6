"""Database tables of engagement."""

from datetime import date
from typing import Any

from sqlalchemy import ARRAY, Date, ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import WorkspaceTable


class OnboardingStep(WorkspaceTable):
    """A step of onboarding, in the order of ``position``.

    An account has done it after a semantic event, after one of ``event_names``, or if it has
    ``trait``.
    """

    __tablename__ = "onboarding_step"

    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    position: Mapped[int]
    event_names: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    trait: Mapped[str | None]
    target_days: Mapped[int | None]


class OnboardingPace(WorkspaceTable):
    """The pace of onboarding as of a day. ``pace``: step key to [median days, accounts counted]."""

    __tablename__ = "onboarding_pace"

    as_of: Mapped[date]
    steps: Mapped[list[str]] = mapped_column(ARRAY(Text))
    pace: Mapped[dict[str, Any]] = mapped_column(JSONB)


class OnboardingCompletion(WorkspaceTable):
    """When an account did an onboarding step, as known from the day ``known_on`` on.

    A late event adds a row with an earlier ``done_at``. ``user_id``: the user whose event did it;
    empty if there is none.
    """

    __tablename__ = "onboarding_completion"

    account_id: Mapped[Key] = mapped_column(primary_key=True)
    step_key: Mapped[Key] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    user_id: Mapped[Key] = mapped_column(primary_key=True, server_default="")
    done_at: Mapped[Instant]


class Ticket(WorkspaceTable):
    """A support ticket. Its columns summarize its rows of ``ticket_moment``, as known now.

    ``account_id`` None: so far only events of agents have named the ticket.
    """

    __tablename__ = "ticket"
    __table_args__ = (Index(None, "account_id", "workspace_id", "opened_at"),)

    ticket_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key | None]
    user_id: Mapped[Key | None]
    subject: Mapped[str | None]
    priority: Mapped[str | None]
    channel: Mapped[str | None]
    opened_at: Mapped[Instant | None]
    replied_at: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]


class TicketMoment(Table):
    """Something that happened to a ticket, and the fields that came with it.

    ``kind``: opened, replied, closed, reopened, or noted for changed fields alone.
    """

    __tablename__ = "ticket_moment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "ticket_id"],
            ["ticket.workspace_id", "ticket.ticket_id"],
            ondelete="CASCADE",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    ticket_id: Mapped[Key] = mapped_column(primary_key=True)
    kind: Mapped[Key] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    subject: Mapped[str | None]
    priority: Mapped[str | None]
    channel: Mapped[str | None]


class SurveyResponse(WorkspaceTable):
    """A person's answer to a survey: ``nps`` 0 to 10, ``csat`` 1 to 5.

    ``merged_from``, ``merged_on``: as in ``Subscription``.
    """

    __tablename__ = "survey_response"
    __table_args__ = (Index(None, "account_id", "workspace_id", "at"),)

    response_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]
    user_id: Mapped[Key | None]
    kind: Mapped[Key]
    score: Mapped[float]
    comment: Mapped[str | None]
    ticket_id: Mapped[Key | None]
    at: Mapped[Instant]
    known_on: Mapped[date]
    merged_from: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    merged_on: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default="{}")


class FeedbackItem(WorkspaceTable):
    """A complaint, request or praise.

    ``notified_at``: when its author was informed of the outcome, by a message. ``merged_from``,
    ``merged_on``: as in ``Subscription``.
    """

    __tablename__ = "feedback_item"
    __table_args__ = (Index(None, "account_id", "workspace_id", "at"),)

    feedback_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]
    user_id: Mapped[Key | None]
    kind: Mapped[Key]
    text: Mapped[str | None]
    topic: Mapped[str | None]
    product_feature: Mapped[Key | None]
    owner: Mapped[str | None]
    due_on: Mapped[date | None]
    status: Mapped[Key] = mapped_column(server_default="open")
    answer: Mapped[str | None]
    at: Mapped[Instant]
    known_on: Mapped[date]
    resolved_at: Mapped[Instant | None]
    resolved_known_on: Mapped[date | None]
    notified_at: Mapped[Instant | None]
    merged_from: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    merged_on: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default="{}")


class Goal(WorkspaceTable):
    """A goal of an account: a metric should get from a baseline to a target by a day."""

    __tablename__ = "goal"
    __table_args__ = (Index(None, "account_id", "workspace_id"),)

    goal_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]
    title: Mapped[str]
    metric: Mapped[Key]
    event_names: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    trait: Mapped[str | None]
    baseline: Mapped[float]
    target: Mapped[float]
    starts_on: Mapped[date]
    due_on: Mapped[date]
    known_on: Mapped[date]
    closed_on: Mapped[date | None]


class LoyaltyTier(WorkspaceTable):
    """A loyalty tier, in the order of ``position``. It starts at a value of a metric."""

    __tablename__ = "loyalty_tier"

    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    position: Mapped[int]
    metric: Mapped[Key]
    event_names: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    trait: Mapped[str | None]
    threshold: Mapped[float]


class Incident(WorkspaceTable):
    """An outage or other incident of the vendor. ``incident_account`` has the affected accounts."""

    __tablename__ = "incident"

    incident_id: Mapped[Key] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    declared_at: Mapped[Instant]
    known_on: Mapped[date]
    ended_at: Mapped[Instant | None]
    ended_known_on: Mapped[date | None]


class IncidentAccount(WorkspaceTable):
    """An account that an incident affected, and when an apology was sent to it."""

    __tablename__ = "incident_account"
    __table_args__ = (Index(None, "account_id", "workspace_id"),)

    incident_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    known_on: Mapped[date]
    apology_sent_at: Mapped[Instant | None]
    apology_known_on: Mapped[date | None]


class PersonRole(WorkspaceTable):
    """A person's role in dealings with the vendor, besides their job: champion or sponsor."""

    __tablename__ = "person_role"

    user_id: Mapped[Key] = mapped_column(primary_key=True)
    role: Mapped[Key] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    ended_on: Mapped[date | None]
