"""Response schema of jobs."""

from datetime import datetime
from typing import Any

from pydantic import Field

from app.core.schemas import ResponseModel
from app.jobs.tables import JobState


class JobOut(ResponseModel):
    id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    kind: str = Field(examples=["import"])
    state: JobState = Field(
        description="`queued`: it waits; `running`: it is in progress; the other states are final."
    )
    progress: dict[str, Any] = Field(
        description="What has been done so far; the fields depend on the kind.",
        examples=[{"rows": 120000, "stored": 119998}],
    )
    error: str | None = Field(
        description="Why the job failed.", examples=["The file has no column 'account_id'."]
    )
    created_at: datetime
    created_by: str = Field(examples=["key:hk_0123456789"])
    started_at: datetime | None
    finished_at: datetime | None
