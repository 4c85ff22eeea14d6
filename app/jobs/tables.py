"""The table of jobs, and their states."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table
from app.workspaces.tables import workspace_fk


class JobState(StrEnum):
    """``queued``: waits. ``running``: claimed by a process. The other states are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Table):
    """Long work that is done in pages and outlives the process that does it.

    ``position`` is where the next page starts. It is written in the transaction of each page and
    only with the current ``token``, so that no page counts twice. ``attempts`` counts the
    failures of the page at ``position``: errors, and processes that ended during it.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(None, "workspace_id", "id"),
        Index("job_open_idx", "lease_until", postgresql_where="finished_at IS NULL"),
    )

    id: Mapped[Key] = mapped_column(primary_key=True)
    workspace_id: Mapped[Key] = mapped_column(workspace_fk())
    kind: Mapped[Key]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    position: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    progress: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    state: Mapped[Key]
    error: Mapped[str | None]
    created_at: Mapped[Instant]
    created_by: Mapped[str]
    started_at: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]
    lease_until: Mapped[Instant]
    token: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
