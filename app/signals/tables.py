"""The tables of signals, of their settings, and of the cached use of half a year."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class AccountSignal(Table):
    """A signal of an account, from the refresh that opened it to the refresh that cleared it.

    ``key`` distinguishes signals of one name. An open signal follows the facts: each refresh
    updates it. A cleared signal keeps its last severity and evidence.
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

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
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
    """The use of an account in the half-year up to a whole day, shared by the refreshes of a day.

    ``counted_as``: how reach was counted and which users were excluded; a row that was counted
    otherwise is not reused. ``activity`` is null where there was no use.
    """

    __tablename__ = "account_activity"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    through: Mapped[date]
    counted_as: Mapped[str]
    activity: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class SignalSettings(Table):
    """The signal settings of a workspace; without a row the defaults apply."""

    __tablename__ = "signal_settings"

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[Instant]
    changed_by: Mapped[str]
