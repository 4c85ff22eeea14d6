"""The table of the change feed."""

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
