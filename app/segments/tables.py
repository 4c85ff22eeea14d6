from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


class SavedSegment(Table):
    """A filter that has a name. Who is in it is asked anew each time."""

    __tablename__ = "saved_segment"

    workspace_id: Mapped[Key] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
