from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import owner


class Change(Table):
    """Something that a polling reader should hear of.

    ``transaction_id`` is the writer's: readers see only what lies below the oldest transaction
    that still runs, so that nothing can appear behind a place they have passed.
    """

    __tablename__ = "change"
    __table_args__ = (Index(None, "created_at"),)

    workspace_id: Mapped[Key] = mapped_column(owner(), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    type: Mapped[Key]
    account_id: Mapped[Key | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant]
