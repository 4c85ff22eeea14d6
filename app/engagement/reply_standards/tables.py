"""The table of reply standards."""

from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant
from app.workspaces.tables import WorkspaceTable


class ReplyStandardsRow(WorkspaceTable):
    """The reply standards of a workspace; without a row the defaults apply."""

    __tablename__ = "reply_standards"

    standards: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[Instant]
    changed_by: Mapped[str]
