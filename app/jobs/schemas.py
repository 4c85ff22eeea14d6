from datetime import datetime
from typing import Any

from pydantic import Field

from app.core.schemas import ResponseModel
from app.jobs.states import JobState


class JobOut(ResponseModel):
    id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    kind: str = Field(examples=["import"])
    state: JobState = Field(
        description="`queued` waits for its turn, `running` is being done; the others are the end."
    )
    progress: dict[str, Any] = Field(
        description="What is done so far; what it says depends on the kind.",
        examples=[{"rows": 120000, "stored": 119998}],
    )
    error: str | None = Field(examples=["The file has no column 'account_id'."])
    created_at: datetime
    created_by: str = Field(examples=["key:hk_0123456789"])
    started_at: datetime | None
    finished_at: datetime | None
