"""Tables of members and their sessions."""

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import WorkspaceTable, workspace_fk


class Member(WorkspaceTable):
    """A person of the vendor. ``email`` is in lower case.

    ``joined_at``: the first sign-in. ``link_hash``: of the one sign-in link that is still unused.
    """

    __tablename__ = "member"
    __table_args__ = (UniqueConstraint("workspace_id", "email"), UniqueConstraint("link_hash"))

    id: Mapped[Key] = mapped_column(primary_key=True)
    email: Mapped[Key]
    name: Mapped[str]
    role: Mapped[str]
    language: Mapped[str | None]
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())
    joined_at: Mapped[Instant | None]
    link_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    link_expires_at: Mapped[Instant | None]


class MemberSession(Table):
    """A browser in which a member is signed in. ``seen_at`` is exact to the minute."""

    __tablename__ = "member_session"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"
        ),
        Index(None, "workspace_id", "member_id"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    workspace_id: Mapped[Key] = mapped_column(workspace_fk())
    member_id: Mapped[Key]
    created_at: Mapped[Instant]
    seen_at: Mapped[Instant]
