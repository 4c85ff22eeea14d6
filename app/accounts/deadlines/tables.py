"""The table of deadlines."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key
from app.workspaces.tables import WorkspaceTable


class AccountDeadline(WorkspaceTable):
    """The next time at which an account must be scored again although no data arrives.

    A refresh replaces the row of its ``kind`` (``schedule.DeadlineKind``). Once ``due_at`` has
    passed, the row is deleted, in the statement that marks the account due.
    """

    __tablename__ = "account_deadline"
    __table_args__ = (Index(None, "due_at"),)

    account_id: Mapped[Key] = mapped_column(primary_key=True)
    kind: Mapped[Key] = mapped_column(primary_key=True)
    due_at: Mapped[Instant]
