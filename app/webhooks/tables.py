"""Tables of messages, endpoints, deliveries and attempts."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKeyConstraint, Identity, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.webhooks.endpoint_state import DisableReason, EndpointState, EndpointStatus
from app.workspaces.tables import workspace_fk


class Message(Table):
    """A message to other systems, written in the transaction of the change that it announces.

    ``body`` is signed and sent byte for byte. ``personal_body`` is sent instead to endpoints with
    ``personal_data``; null if it would be equal. Ids sort by creation time.
    """

    __tablename__ = "message"
    __table_args__ = (Index(None, "created_at"), Index(None, "account_id", "workspace_id", "id"))

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    type: Mapped[Key]
    account_id: Mapped[Key | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    personal_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Instant]


class MessageSequence(Table):
    """The last sequence number given to a message about an account."""

    __tablename__ = "message_sequence"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class WebhookEndpoint(Table):
    """A receiver of messages.

    ``url`` is redacted for display. ``encrypted``: the full URL, secrets and headers, encrypted, as
    a URL can be a secret too. ``types``: message types; empty: all. ``resume_at``: no message
    is sent before this time. ``warned``: see ``EndpointStatus``. ``next_at``: no message is claimed
    before this time because of ``max_per_second``.
    """

    __tablename__ = "webhook_endpoint"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    kind: Mapped[Key]
    url: Mapped[str]
    encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    header_names: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    types: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    personal_data: Mapped[bool] = mapped_column(server_default="false")
    paused: Mapped[bool] = mapped_column(server_default="false")
    state: Mapped[Key] = mapped_column(server_default="active")
    failures: Mapped[int] = mapped_column(server_default="0")
    failing_since: Mapped[Instant | None]
    resume_at: Mapped[Instant | None]
    reason: Mapped[Key | None]
    warned: Mapped[int] = mapped_column(server_default="0")
    max_per_second: Mapped[int | None]
    next_at: Mapped[Instant | None]
    created_at: Mapped[Instant]
    changed_at: Mapped[Instant]

    @property
    def status(self) -> EndpointStatus:
        return EndpointStatus(
            EndpointState(self.state),
            self.failures,
            self.failing_since,
            self.resume_at,
            DisableReason(self.reason) if self.reason else None,
            self.warned,
        )

    @status.setter
    def status(self, status: EndpointStatus) -> None:
        self.apply_changes(asdict(status))


class Delivery(Table):
    """The delivery of one message to one endpoint.

    ``due_at``: when it may be claimed; for a claimed delivery, which has a ``token``, the end of
    the lease. ``attempts``: the number since it was created or last replayed.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "endpoint_id"],
            ["webhook_endpoint.workspace_id", "webhook_endpoint.id"],
            name="delivery_endpoint_fkey",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "message_id"],
            ["message.workspace_id", "message.id"],
            name="delivery_message_fkey",
            ondelete="CASCADE",
        ),
        Index(None, "workspace_id", "message_id"),
        Index("delivery_due_idx", "endpoint_id", "due_at", postgresql_where="state = 'pending'"),
    )

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    endpoint_id: Mapped[Key] = mapped_column(primary_key=True)
    message_id: Mapped[Key] = mapped_column(primary_key=True)
    state: Mapped[Key]
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[Instant]
    token: Mapped[UUID | None]
    finished_at: Mapped[Instant | None]


class Attempt(Table):
    """One attempt of a delivery and its result. ``response``: the start of the response body."""

    __tablename__ = "attempt"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "endpoint_id", "message_id"],
            ["delivery.workspace_id", "delivery.endpoint_id", "delivery.message_id"],
            name="attempt_delivery_fkey",
            ondelete="CASCADE",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    endpoint_id: Mapped[Key] = mapped_column(primary_key=True)
    message_id: Mapped[Key] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[Instant]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[Key | None]
    response: Mapped[str]
