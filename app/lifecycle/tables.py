"""The table of id changes."""

from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class IdChange(Table):
    """The erasure of a user or an account, or the rename or merge of an account.

    The worker processes it page by page after ``ready_at``; the changes of a workspace run one
    after the other. ``step`` is null when it is done. A move has ``account_id`` (old) and
    ``target_id`` (new). An erasure has neither but ``private``: the ids to look for, null when it
    is done.
    """

    __tablename__ = "id_change"
    __table_args__ = (
        Index("id_change_open_idx", "workspace_id", "number", postgresql_where="step IS NOT NULL"),
        Index("id_change_number_key", "workspace_id", "number", unique=True),
    )

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True)
    id: Mapped[Key] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    kind: Mapped[Key]
    account_id: Mapped[str | None]
    target_id: Mapped[str | None]
    private: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    step: Mapped[str | None]
    position: Mapped[str | None]
    rows: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    requested_by: Mapped[str]
    requested_at: Mapped[Instant]
    ready_at: Mapped[Instant]
    fenced_at: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]
    lifted_at: Mapped[Instant | None]
