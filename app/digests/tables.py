"""The table of digests."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key
from app.workspaces.tables import WorkspaceTable


class Digest(WorkspaceTable):
    """When the owner of accounts gets a digest. ``at``: HH:MM in the zone of the owner.

    ``weekday``: 1 (Monday) to 7, of weekly ones. ``next_at``: when the next one is due.
    """

    __tablename__ = "digest"
    __table_args__ = (Index(None, "next_at"),)

    owner: Mapped[Key] = mapped_column(primary_key=True)
    cadence: Mapped[Key]
    weekday: Mapped[int | None]
    at: Mapped[str]
    zone: Mapped[str]
    language: Mapped[Key]
    next_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
