from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


class Message(Table):
    """What others are to be told: it exists exactly when the change it tells of exists.

    ``body`` is what is signed and sent, byte for byte. Ids sort by their time.
    """

    __tablename__ = "message"
    __table_args__ = (Index(None, "workspace_id", "created_at"),)

    workspace_id: Mapped[Key] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[Key] = mapped_column(primary_key=True)
    type: Mapped[Key]
    account_id: Mapped[Key | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Instant]
