"""Tables of events, quarantine, statistics and sources."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Boolean, Identity, Index, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table

PAGES_PER_SUMMARY = 128
"""Table pages that one block summary covers: 3,000 to 5,000 events."""
SUMMARIES = "text_bloom_ops(n_distinct_per_range=5000, false_positive_rate=0.004)"


class Event(Table):
    """Something a user did. The primary key makes a retried call count once.

    ``client_at`` is the client's own, unaltered time and comes first in the key: new events go to
    the right edge of the index, so the cost of storing one does not grow with the table. An event
    is found by its message id alone with small block summaries (docs/adr/0016).

    ``account_by``: how the account was found, ``user`` or ``alias``; None: the event names it.
    ``known_on``: the day on which the event became known; None: the day on which it was received.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(
            "event_message_id_idx",
            "message_id",
            postgresql_using="brin",
            postgresql_ops={"message_id": SUMMARIES},
            postgresql_with={"pages_per_range": PAGES_PER_SUMMARY, "autosummarize": "on"},
        ),
        {"postgresql_partition_by": "RANGE (client_at)"},
    )

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
    account_by: Mapped[Key | None]
    known_on: Mapped[date | None]


class UnattributedEvent(Table):
    """An event that waits until the account of its user is known.

    ``row``: the event as an input row of the ingest statement.
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
    """A name under which events are counted as usage; a workspace has at most 2,000 names."""

    __tablename__ = "event_name"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[Key] = mapped_column(primary_key=True)
    is_view: Mapped[bool] = mapped_column(Boolean)
    first_seen_at: Mapped[Instant]


class SourceEventName(Table):
    """An event name that a source (API key) sends. ``first_day``: the day of its first such event.

    Before its first event of any name nothing of what a source sends is known. A key that replaces
    another of its name is the same source (``app/engagement/first_event.sql``). Rows of before this
    table have an empty ``key_id``, or an empty ``name`` for the first day of a source.
    """

    __tablename__ = "source_event_name"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    key_id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[Key] = mapped_column(primary_key=True)
    first_day: Mapped[date]


class QuarantinedEvent(Table):
    """An event that could not be used, why, and its payload cut to 64 KiB.

    The primary key is a hash of the content, so that a retry is counted in ``times`` and not stored
    again. ``dialect``, ``sent_at`` and ``historical`` are needed to parse it again.
    """

    __tablename__ = "quarantined_event"
    __table_args__ = (
        Index("quarantined_event_id_key", "workspace_id", "number", unique=True),
        Index(None, "last_received_at"),
        Index(None, "message_id", "workspace_id"),
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
    dialect: Mapped[Key]
    sent_at: Mapped[Instant | None]
    historical: Mapped[bool] = mapped_column(server_default="false")


class EventCounters:
    """Counts of the events that one API key sent with one SDK.

    ``received = accepted + duplicates + quarantined + erased``. Among the accepted: ``late`` (the
    event counts for a day before its receipt) and ``unattributed``. Events received before:
    ``attributed`` (waited for their account) and ``replayed`` (were in quarantine). ``code``: the
    quarantine code of quarantined events, or a hint; otherwise empty. ``warned``: how many events
    had this hint; such a row counts nothing else.
    """

    received: Mapped[int] = mapped_column(server_default="0")
    accepted: Mapped[int] = mapped_column(server_default="0")
    duplicates: Mapped[int] = mapped_column(server_default="0")
    quarantined: Mapped[int] = mapped_column(server_default="0")
    erased: Mapped[int] = mapped_column(server_default="0")
    late: Mapped[int] = mapped_column(server_default="0")
    unattributed: Mapped[int] = mapped_column(server_default="0")
    attributed: Mapped[int] = mapped_column(server_default="0")
    replayed: Mapped[int] = mapped_column(server_default="0")
    warned: Mapped[int] = mapped_column(server_default="0")


class IngestTally(EventCounters, Table):
    """The counts of one batch, until the worker adds them to the counts of an ``IngestHour``.

    The ingest statement writes them. The table has no key and no index: no query needs a single
    row, and each batch would be slower.
    """

    __tablename__ = "ingest_tally"
    __mapper_args__ = {"primary_key": ["workspace_id", "key_id", "sdk", "code", "at"]}  # noqa: RUF012

    workspace_id: Mapped[Key]
    key_id: Mapped[Key]
    sdk: Mapped[Key]
    code: Mapped[Key]
    at: Mapped[Instant]


class IngestHour(EventCounters, Table):
    """The counts of the events received in an hour. ``last_at``: when the last one was received."""

    __tablename__ = "ingest_hour"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    key_id: Mapped[Key] = mapped_column(primary_key=True)
    hour: Mapped[Instant] = mapped_column(primary_key=True)
    sdk: Mapped[Key] = mapped_column(primary_key=True)
    code: Mapped[Key] = mapped_column(primary_key=True)
    last_at: Mapped[Instant | None]


class Source(Table):
    """An API key that sends events.

    ``silent_since``: the time of its last event before it became silent. ``noticed_at``: when the
    silence was detected. ``resumed_at``: when it last became active again. ``check_at``: the source
    is not checked for silence before this time.
    """

    __tablename__ = "source"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    key_id: Mapped[Key] = mapped_column(primary_key=True)
    last_event_at: Mapped[Instant]
    check_at: Mapped[Instant | None]
    silent_since: Mapped[Instant | None]
    noticed_at: Mapped[Instant | None]
    resumed_at: Mapped[Instant | None]


class StaleAccount(Table):
    """An account whose only recent source, ``key_id``, is silent: its score is frozen."""

    __tablename__ = "stale_account"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    key_id: Mapped[Key] = mapped_column(primary_key=True)


class DueAttribution(Table):
    """A user, or an anonymous visitor, whose waiting events can be attributed now."""

    __tablename__ = "due_attribution"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    workspace_id: Mapped[Key]
    user_id: Mapped[Key | None]
    anonymous_id: Mapped[Key | None]
