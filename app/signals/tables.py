from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import owner


class AccountSignal(Table):
    """A signal of an account, from when it was first seen until it no longer held.

    ``key`` tells several of one name apart. While it is open it follows the facts; a closed one
    keeps what was said last.
    """

    __tablename__ = "account_signal"
    __table_args__ = (
        Index(
            "account_signal_open_key",
            "workspace_id",
            "account_id",
            "signal",
            "key",
            unique=True,
            postgresql_where="cleared_at IS NULL",
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    signal: Mapped[Key]
    key: Mapped[Key]
    severity: Mapped[Key]
    since: Mapped[date]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    opened_at: Mapped[Instant]
    changed_at: Mapped[Instant]
    cleared_at: Mapped[Instant | None]


class AccountActivity(Table):
    """Use in the quarter up to a whole day: the refreshes of the day after share it.

    ``counted_as``: how reach was counted, and who was left out. ``said`` is null where nothing was
    used.
    """

    __tablename__ = "account_activity"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    through: Mapped[date]
    counted_as: Mapped[str]
    said: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class SignalSettings(Table):
    """What a workspace has set of its signals; without a row the defaults hold."""

    __tablename__ = "signal_settings"

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[Instant]
    changed_by: Mapped[str]
