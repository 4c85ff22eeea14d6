"""The tables of notes, tasks and sentiment."""

from datetime import date

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import WorkspaceTable


class Note(WorkspaceTable):
    """A note, or what came of a call, a meeting or an e-mail: the newest version of it.

    ``at``: when it happened. ``participants``: ids, e-mail addresses or names, of both sides.
    """

    __tablename__ = "note"
    __table_args__ = (
        Index(None, "account_id", "workspace_id", "at"),
        Index(None, "workspace_id", "at"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]
    kind: Mapped[Key]
    text: Mapped[str]
    at: Mapped[Instant]
    participants: Mapped[list[str]] = mapped_column(ARRAY(Text))
    author: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[Instant]
    edited_at: Mapped[Instant | None]


class NoteVersion(Table):
    """An earlier version of a note, as it was until ``replaced_at``."""

    __tablename__ = "note_version"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "note_id"], ["note.workspace_id", "note.id"], ondelete="CASCADE"
        ),
    )

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    note_id: Mapped[Key] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Key]
    text: Mapped[str]
    at: Mapped[Instant]
    participants: Mapped[list[str]] = mapped_column(ARRAY(Text))
    replaced_at: Mapped[Instant]


class Task(WorkspaceTable):
    """Something to do for an account. ``owner``: who does it; null: nobody yet."""

    __tablename__ = "task"
    __table_args__ = (
        Index(None, "account_id", "workspace_id"),
        Index(
            "task_open_idx", "workspace_id", "owner", "due_on", postgresql_where="done_at IS NULL"
        ),
    )

    id: Mapped[Key] = mapped_column(primary_key=True)
    account_id: Mapped[Key]
    title: Mapped[str]
    owner: Mapped[str | None]
    due_on: Mapped[date | None]
    author: Mapped[str]
    created_at: Mapped[Instant]
    done_at: Mapped[Instant | None]
    done_by: Mapped[str | None]


class Sentiment(WorkspaceTable):
    """How the owner of an account felt about it at a time, 1 (bad) to 5 (good). The newest counts.

    Rows are added and never changed, except that an erasure removes a person from the reason.
    """

    __tablename__ = "sentiment"
    __table_args__ = (
        CheckConstraint("value >= 1 AND value <= 5", name="value"),
        Index(None, "account_id", "workspace_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[Key]
    value: Mapped[int]
    reason: Mapped[str]
    author: Mapped[str]
    at: Mapped[Instant]
