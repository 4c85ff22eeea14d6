"""The tables of the change feed, and of values by which lists were sorted before a change."""

from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class Change(Table):
    """An entry of the change feed.

    ``transaction_id``: the transaction that wrote it. Readers see only entries below the oldest
    running transaction, so that no entry can appear before a position that they have passed.
    """

    __tablename__ = "change"
    __table_args__ = (Index(None, "created_at"),)

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    type: Mapped[Key]
    account_id: Mapped[Key | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]


class SortChange(Table):
    """Values by which lists are sorted, as they were before a change. Kept for two hours.

    Later pages of a list place a row by the value that it had on the first page. Triggers write one
    row for each changed row of the table ``source``, with its old values; all are null if there was
    no row. ``unused``: the product features that the account did not use, with their money; null if
    they did not change. ``transaction_id``: the transaction that made the change.
    """

    __tablename__ = "sort_change"
    __table_args__ = (Index(None, "workspace_id", "transaction_id"), Index(None, "created_at"))

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key] = mapped_column(primary_key=True)
    source: Mapped[Key] = mapped_column(primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    created_at: Mapped[Instant]
    name: Mapped[str | None]
    score: Mapped[float | None]
    mrr_cents: Mapped[int | None] = mapped_column(BigInteger)
    band: Mapped[Key | None]
    renewal_on: Mapped[Key | None]
    trend7: Mapped[float | None]
    trend28: Mapped[float | None]
    machine_value: Mapped[float | None]
    probability: Mapped[float | None]
    level: Mapped[Key | None]
    risk: Mapped[float | None]
    revenue_at_risk_cents: Mapped[int | None] = mapped_column(BigInteger)
    intervention_id: Mapped[Key | None]
    value_cents: Mapped[float | None]
    unused: Mapped[list[Any] | None] = mapped_column(JSONB)
