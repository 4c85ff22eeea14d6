from datetime import datetime
from typing import Any

from pydantic import Field

from app.core.schemas import ResponseModel
from app.imports.errors import ROW_CODES
from app.imports.kinds import ImportKind
from app.imports.records import FileFormat
from app.jobs.states import JobState
from app.jobs.tables import Job

UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, plain or gzipped.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "account_id,name,employees\nacme,Acme Corp,250\n",
            },
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"account_id": "acme", "name": "Acme Corp", "employees": 250}\n',
            },
        },
    }
}


class ImportOut(ResponseModel):
    """An import, how far it is, and what has become of the rows so far."""

    id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    kind: ImportKind
    format: FileFormat
    dry_run: bool = Field(description="Every row is judged, nothing is stored.")
    state: JobState = Field(
        description="`queued` waits for its turn, `running` is being done; the others are the end."
    )
    error: str | None = Field(examples=["The gzipped file is broken."])
    bytes: int = Field(description="Read so far, decompressed.", examples=[52428800])
    bytes_total: int = Field(examples=[104857600])
    rows: int = Field(examples=[1000000])
    stored: int = Field(description="In a dry run: what would have been stored.", examples=[999700])
    duplicates: int = Field(description="Events that were stored before.", examples=[290])
    rejected: int = Field(
        description="Rows that could not be used; the first 10,000 are listed.", examples=[10]
    )
    rows_per_second: float | None = Field(examples=[18250.5])
    eta_seconds: float | None = Field(
        description="How long it will take at this speed; null when it has ended.", examples=[55.0]
    )
    created_at: datetime
    created_by: str = Field(examples=["key:hk_0123456789"])
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "ImportOut":
        said = {name: job.config[name] for name in ("kind", "format", "dry_run")}
        done = {name: value for name, value in job.progress.items() if name != "seconds"}
        speed, eta = _speed(job, "rows"), _eta(job)
        return cls.from_row(job, **said, **done, rows_per_second=speed, eta_seconds=eta)


def _speed(job: Job, what: str) -> float | None:
    seconds: float = job.progress["seconds"]
    done: int = job.progress[what]
    return round(done / seconds, 1) if seconds else None


def _eta(job: Job) -> float | None:
    speed = _speed(job, "bytes")
    if job.finished_at is not None or not speed:
        return None
    left: int = job.progress["bytes_total"] - job.progress["bytes"]
    return round(left / speed, 1)


class ImportRowErrorOut(ResponseModel):
    """A row that could not be used. The message holds nothing of the row."""

    line: int = Field(description="Where it starts in the file, from 1.", examples=[17])
    code: str = Field(
        description=f"A code of the quarantine, or {', '.join(f'`{code}`' for code in ROW_CODES)}.",
        examples=["invalid_account_id"],
    )
    message: str = Field(examples=["The account's id is a placeholder such as null or undefined."])
