"""Database tables of engagement."""

from datetime import date
from typing import Any

from sqlalchemy import ARRAY, Date, ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import WorkspaceTable

PRESENT = date(9999, 12, 31)
"""``known_until`` of the version that is known now."""


class VersionTable(WorkspaceTable):
    """Base of tables whose rows are versions of an object, computed from ``engagement_fact``.

    A version was known from ``known_on`` on, until the day before ``known_until``. A past day reads
    the version with ``known_on <= day < known_until``, so a later answer or change does not change
    the figures of that day. The present reads ``known_until = PRESENT``.
    """

    __abstract__ = True

    known_on: Mapped[date] = mapped_column(sort_order=1)
    known_until: Mapped[date] = mapped_column(
        primary_key=True, server_default="9999-12-31", sort_order=1
    )


class EngagementObject(WorkspaceTable):
    """An object that facts are about: a survey response, feedback item, goal or incident.

    Its row is locked while its versions are computed. ``object_kind``: the table of the versions.
    ``account_id``: the account that it belongs to; of an object that was only resolved so far, the
    account of that event. An incident has none.
    """

    __tablename__ = "engagement_object"
    __table_args__ = (Index(None, "account_id", "workspace_id"),)

    object_kind: Mapped[Key] = mapped_column(primary_key=True)
    object_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key | None]


class EngagementFact(Table):
    """What one event or API call says about an object. Facts are added and never overwritten.

    The versions of an object are computed from its facts: for each field the newest fact by its own
    time ``at`` counts, whatever the order of arrival. ``message_id``: of the event; empty for API
    calls. ``account_id``: of the event; for an incident the affected account; empty if there is
    none. ``fields``: the columns that it sets.
    """

    __tablename__ = "engagement_fact"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "object_kind", "object_id"],
            [
                "engagement_object.workspace_id",
                "engagement_object.object_kind",
                "engagement_object.object_id",
            ],
            ondelete="CASCADE",
        ),
        Index(None, "account_id", "workspace_id"),
    )

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    object_kind: Mapped[Key] = mapped_column(primary_key=True)
    object_id: Mapped[Key] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(primary_key=True)
    message_id: Mapped[Key] = mapped_column(primary_key=True)
    kind: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    known_on: Mapped[date]
    user_id: Mapped[Key | None]
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


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

    A past day reads the moments that were known on it. ``account_id`` None: so far only events of
    agents have named the ticket. ``account_at``, ``user_at``: the time of the event that named its
    account and its author; the earliest event counts.
    """

    __tablename__ = "ticket"
    __table_args__ = (Index(None, "account_id", "workspace_id", "opened_at"),)

    ticket_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key | None]
    account_at: Mapped[Instant | None]
    user_id: Mapped[Key | None]
    user_at: Mapped[Instant | None]
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


class SurveyResponse(VersionTable):
    """A version of a person's answer to a survey: ``nps`` 0 to 10, ``csat`` 1 to 5.

    If the person answers again, the version ends and the next one has the new time ``at``.
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
    merged_from: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    merged_on: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default="{}")


class FeedbackItem(VersionTable):
    """A version of a complaint, request or praise, which was given ``at``.

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
    resolved_at: Mapped[Instant | None]
    resolved_known_on: Mapped[date | None]
    notified_at: Mapped[Instant | None]
    merged_from: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    merged_on: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default="{}")


class Goal(VersionTable):
    """A version of a goal: a metric should get from a baseline to a target by a day."""

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


class Incident(VersionTable):
    """A version of an outage of the vendor. ``incident_account`` has the affected accounts."""

    __tablename__ = "incident"

    incident_id: Mapped[Key] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    declared_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    ended_known_on: Mapped[date | None]


class IncidentAccount(VersionTable):
    """A version of: an account that an incident affected, and when an apology was sent to it."""

    __tablename__ = "incident_account"
    __table_args__ = (Index(None, "account_id", "workspace_id"),)

    incident_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    apology_sent_at: Mapped[Instant | None]
    apology_known_on: Mapped[date | None]


class PersonRole(WorkspaceTable):
    """A person's role in dealings with the vendor, besides their job: champion or sponsor."""

    __tablename__ = "person_role"

    user_id: Mapped[Key] = mapped_column(primary_key=True)
    role: Mapped[Key] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    ended_on: Mapped[date | None]
