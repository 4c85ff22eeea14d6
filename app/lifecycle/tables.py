"""The table of id changes (erasures, renames, merges), and the kinds and states of id changes."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class IdChangeKind(StrEnum):
    """What an id change does: erase a user or an account, rename or merge an account."""

    ERASE_USER = "erase_user"
    ERASE_ACCOUNT = "erase_account"
    RENAME = "rename"
    MERGE = "merge"

    @property
    def prefix(self) -> str:
        return "er" if self in ERASURES else "mv"

    @property
    def noun(self) -> str:
        return "erasure" if self in ERASURES else "account move"


ERASURES = (IdChangeKind.ERASE_USER, IdChangeKind.ERASE_ACCOUNT)
MOVES = (IdChangeKind.RENAME, IdChangeKind.MERGE)


class IdChangeState(StrEnum):
    """``waiting``: before its first fence. ``lifted``: an erasure whose id is accepted again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    LIFTED = "lifted"


class IdChange(Table):
    """The erasure of a user or an account, or the rename or merge of an account.

    The worker processes it page by page after ``ready_at``; the changes of a workspace run one
    after the other. ``step`` is null when the change is done. ``position``: where the next page of
    the step starts. ``rows``: changed rows by step. A rename or merge has ``account_id`` (old) and
    ``target_id`` (new). An erasure has only ``private``: erased ids and pseudonyms, null when done.
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

    @property
    def state(self) -> IdChangeState:
        if self.lifted_at is not None:
            return IdChangeState.LIFTED
        if self.step is None:
            return IdChangeState.DONE
        return IdChangeState.WAITING if self.fenced_at is None else IdChangeState.RUNNING
