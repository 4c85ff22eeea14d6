from typing import Any

from sqlalchemy import BigInteger, Boolean, Identity, Index, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


class Event(Table):
    """Something a user did. The key is what makes a retried call count once.

    ``client_at`` is the client's own, unaltered time and leads the key: new events go to the
    right edge of its index, so that storing one costs the same however many there are.
    """

    __tablename__ = "event"
    __table_args__ = ({"postgresql_partition_by": "RANGE (client_at)"},)

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    client_at: Mapped[Instant] = mapped_column(primary_key=True)
    message_id: Mapped[Key] = mapped_column(primary_key=True)
    occurred_at: Mapped[Instant]
    received_at: Mapped[Instant]
    kind: Mapped[Key]
    name: Mapped[Key]
    account_id: Mapped[Key | None]
    user_id: Mapped[Key | None]
    anonymous_id: Mapped[Key | None]
    key_id: Mapped[Key]
    sdk: Mapped[str | None]
    skew_seconds: Mapped[int | None]
    fingerprint: Mapped[int] = mapped_column(BigInteger)
    properties: Mapped[dict[str, Any]] = mapped_column(JSONB)


class UnattributedEvent(Table):
    """An event that waits until somebody says which account its user belongs to.

    ``row`` is the event as the ingest statement takes it.
    """

    __tablename__ = "unattributed_event"
    __table_args__ = (
        Index(None, "user_id", "workspace_id"),
        Index(None, "anonymous_id", "workspace_id"),
        Index(None, "received_at"),
    )

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    client_at: Mapped[Instant] = mapped_column(primary_key=True)
    message_id: Mapped[Key] = mapped_column(primary_key=True)
    user_id: Mapped[Key | None]
    anonymous_id: Mapped[Key | None]
    received_at: Mapped[Instant]
    key_id: Mapped[Key]
    fingerprint: Mapped[int] = mapped_column(BigInteger)
    row: Mapped[dict[str, Any]] = mapped_column(JSONB)


class EventName(Table):
    """An event name that usage is counted by; there are at most 2,000 in a workspace."""

    __tablename__ = "event_name"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[Key] = mapped_column(primary_key=True)
    is_view: Mapped[bool] = mapped_column(Boolean)
    first_seen_at: Mapped[Instant]


class QuarantinedEvent(Table):
    """An event that could not be used, why, and its payload cut to 64 KiB.

    The key is the content, so that a retry is counted in ``times`` and not stored again.
    """

    __tablename__ = "quarantined_event"
    __table_args__ = (
        Index("quarantined_event_id_key", "workspace_id", "number", unique=True),
        Index(None, "last_received_at"),
    )

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    code: Mapped[Key]
    pointer: Mapped[str]
    detail: Mapped[str]
    message_id: Mapped[str | None]
    sdk: Mapped[str | None]
    key_id: Mapped[Key]
    payload: Mapped[str]
    status: Mapped[str]
    times: Mapped[int] = mapped_column(Integer)
    received_at: Mapped[Instant]
    last_received_at: Mapped[Instant]
