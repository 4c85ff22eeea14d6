"""Response schemas of imports, and the description of the upload body."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from app.core.schemas import ResponseModel
from app.imports.errors import ROW_CODES
from app.imports.kinds import ImportKind
from app.imports.records import FileFormat
from app.imports.row_results import COUNTED, WARNINGS, find_warnings
from app.jobs.tables import Job, JobState

EXAMPLES = {
    "text/csv": "account_id,name,employees\nacme,Acme Corp,250\n",
    "application/x-ndjson": '{"account_id": "acme", "name": "Acme Corp", "employees": 250}\n',
}
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file, plain or gzipped.",
        "content": {
            name: {"schema": {"type": "string"}, "example": text} for name, text in EXAMPLES.items()
        },
    }
}


class ImportWarningOut(ResponseModel):
    """What is probably not meant as it was read. The rows are stored."""

    code: str = Field(
        description=f"One of {', '.join(f'`{code}`' for code in WARNINGS)}.",
        examples=["ends_look_inclusive"],
    )
    message: str = Field(examples=[WARNINGS["ends_look_inclusive"]])
    rows: int = Field(description="The number of rows that it is about.", examples=[120])


class ImportOut(ResponseModel):
    """An import with its progress and the result of its rows so far."""

    id: str = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    kind: ImportKind
    format: FileFormat
    dry_run: bool = Field(description="Whether rows are only checked and nothing is stored.")
    inclusive_ends: bool = Field(
        description="Whether the ends of subscriptions are read as last paid days.",
        examples=[False],
    )
    state: JobState = Field(
        description="`queued`: it waits; `running`: it is in progress; the other states are final."
    )
    error: str | None = Field(
        description="Why the import failed.",
        examples=["The gzip file is truncated: send it again."],
    )
    bytes: int = Field(description="Decompressed bytes read so far.", examples=[52428800])
    bytes_total: int = Field(examples=[104857600])
    rows: int = Field(examples=[1000000])
    stored: int = Field(description="In a dry run: rows that would be stored.", examples=[999700])
    duplicates: int = Field(
        description="Events, or periods of subscriptions, that were already stored.", examples=[290]
    )
    rejected: int = Field(
        description="Rows that could not be imported; the first 10,000 are listed.", examples=[10]
    )
    warnings: list[ImportWarningOut] = Field(
        description="What is probably not meant as it was read, so far."
    )
    rows_per_second: float | None = Field(examples=[18250.5])
    eta_seconds: float | None = Field(
        description="Estimated remaining time; null when the import has ended.", examples=[55.0]
    )
    created_at: datetime
    created_by: str = Field(examples=["key:hk_0123456789"])
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def from_job(cls, job: Job) -> Self:
        plan = {name: job.config[name] for name in ("kind", "format", "dry_run")}
        plan["inclusive_ends"] = job.config.get("inclusive_ends", False)
        hidden = {"seconds", *COUNTED}
        progress = {name: value for name, value in job.progress.items() if name not in hidden}
        return cls.from_row(
            job,
            **plan,
            **progress,
            warnings=_warnings(job),
            rows_per_second=_per_second(job, "rows"),
            eta_seconds=_eta(job),
        )


def _warnings(job: Job) -> list[ImportWarningOut]:
    inclusive_ends = job.config.get("inclusive_ends", False)
    found = find_warnings(job.progress, inclusive_ends=inclusive_ends)
    return [
        ImportWarningOut(code=code, message=WARNINGS[code], rows=rows)
        for code, rows in found.items()
    ]


def _per_second(job: Job, unit: str) -> float | None:
    seconds: float = job.progress["seconds"]
    done: int = job.progress[unit]
    return round(done / seconds, 1) if seconds else None


def _eta(job: Job) -> float | None:
    speed = _per_second(job, "bytes")
    if job.finished_at is not None or not speed:
        return None
    left: int = job.progress["bytes_total"] - job.progress["bytes"]
    return round(left / speed, 1)


class ImportRowErrorOut(ResponseModel):
    """A row that could not be imported. The message contains no value of the row."""

    line: int = Field(description="The line at which the row starts, from 1.", examples=[17])
    code: str = Field(
        description="A quarantine code (docs/ingestion.md), or "
        f"{', '.join(f'`{code}`' for code in ROW_CODES)}.",
        examples=["invalid_account_id"],
    )
    message: str = Field(examples=["The account id is a placeholder such as null or undefined."])
