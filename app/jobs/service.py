"""Durable jobs: done in pages, each fenced by a lease's token (docs/adr/0015)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import ConflictError
from app.jobs import queries
from app.jobs.states import JobState
from app.jobs.tables import Job

LEASE = timedelta(seconds=60)
MAX_PAGE_FAILURES = 3
"""How often one page may raise."""
MAX_TAKEOVERS = 10
"""How often one page may end with its process: less may be restarts, more is the page."""
MAX_ERROR_LENGTH = 500


class LostLeaseError(Exception):
    """The job is not ours any more: somebody cancelled it or took it over. Our page is undone."""


class JobEndedError(ConflictError):
    code = "job_ended"


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this process holds. ``position``: where its next page starts."""

    id: str
    workspace_id: str
    kind: str
    config: Mapping[str, Any]
    position: Mapping[str, Any]
    progress: Mapping[str, Any]
    token: UUID

    @classmethod
    def of(cls, job: Job, token: UUID) -> "ClaimedJob":
        return cls(
            job.id, job.workspace_id, job.kind, job.config, job.position, job.progress, token
        )


JobHandler = Callable[[SessionFactory, ClaimedJob, datetime], bool]
"""Does one page, of a second at most, and calls ``checkpoint`` in the transaction of the page.

Returns whether there is more. Asked again at the end of the work it must do nothing.
"""


def enqueue(
    session: Session,
    workspace_id: str,
    kind: str,
    config: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
    progress: Mapping[str, Any] | None = None,
) -> Job:
    """Put a job into the queue, in the caller's transaction. Ids sort by their time."""
    job = Job(
        id=f"job_{round(now.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        workspace_id=workspace_id,
        kind=kind,
        config=dict(config),
        position={},
        progress=dict(progress or {}),
        state=JobState.QUEUED,
        created_at=now,
        created_by=actor,
        lease_until=now,
        attempts=0,
    )
    session.add(job)
    session.flush()
    return job


def claim(sessions: SessionFactory, kinds: Collection[str], *, now: datetime) -> ClaimedJob | None:
    """Take the job that has waited longest, also one whose process has gone silent."""
    with transaction(sessions) as session:
        job = queries.lock_next_job(session, kinds, now=now)
        if job is None:
            return None
        if job.state == JobState.RUNNING:
            job.attempts += 1
            if job.attempts >= MAX_TAKEOVERS:
                _end(job, JobState.FAILED, now=now, error="Its process ended again and again.")
                return None
        return _take(job, now)


def take_over(
    sessions: SessionFactory, workspace_id: str, job_id: str, *, now: datetime
) -> ClaimedJob:
    """Take one job, whoever holds it and whether it failed; its holder is fenced off."""
    with transaction(sessions) as session:
        job = queries.get_job(session, workspace_id, job_id, lock=True)
        if job.state == JobState.DONE:
            raise JobEndedError(f"Job {job_id} is done.")
        job.error = job.finished_at = None
        job.attempts = 0
        return _take(job, now)


def _take(job: Job, now: datetime) -> ClaimedJob:
    job.state, job.token, job.lease_until = JobState.RUNNING, uuid4(), now + LEASE
    job.started_at = job.started_at or now
    return ClaimedJob.of(job, job.token)


def renew_lease(sessions: SessionFactory, work: ClaimedJob, *, now: datetime) -> ClaimedJob:
    """Hold a job for longer, and read where it stands. Raises LostLeaseError."""
    with transaction(sessions) as session:
        job = _held(session, work)
        job.lease_until = now + LEASE
        return ClaimedJob.of(job, work.token)


def checkpoint(
    session: Session,
    work: ClaimedJob,
    *,
    position: Mapping[str, Any],
    progress: Mapping[str, Any],
    now: datetime,
) -> None:
    """Note in the transaction of a page that it is done; raises LostLeaseError, which undoes it."""
    job = _held(session, work)
    job.position, job.progress = dict(position), dict(progress)
    job.attempts, job.lease_until = 0, now + LEASE


def finish(session: Session, work: ClaimedJob, *, now: datetime) -> None:
    _end(_held(session, work), JobState.DONE, now=now)


def fail(session: Session, work: ClaimedJob, error: str, *, now: datetime) -> None:
    """End a job with a sentence that says why."""
    _end(_held(session, work), JobState.FAILED, now=now, error=error)


def release(session: Session, work: ClaimedJob, *, now: datetime) -> None:
    """Give a job back to the queue, behind those that have waited longer."""
    job = _held(session, work)
    job.state, job.token, job.lease_until = JobState.QUEUED, None, now


def record_failure(session: Session, work: ClaimedJob, error: str, *, now: datetime) -> bool:
    """Count a page that raised; after the third time the job has failed. Returns whether it has."""
    job = _held(session, work)
    job.attempts += 1
    if job.attempts >= MAX_PAGE_FAILURES:
        _end(job, JobState.FAILED, now=now, error=error)
    return job.attempts >= MAX_PAGE_FAILURES


def cancel(job: Job, *, now: datetime) -> None:
    """End a locked job; the page that is being done is undone. Twice is the same as once."""
    if job.state in {JobState.DONE, JobState.FAILED}:
        raise JobEndedError(f"Job {job.id} has ended already: {job.state}.")
    if job.state != JobState.CANCELLED:
        _end(job, JobState.CANCELLED, now=now)


def _end(job: Job, state: JobState, *, now: datetime, error: str | None = None) -> None:
    job.state, job.finished_at, job.token = state, now, None
    job.error = error[:MAX_ERROR_LENGTH] if error else None


def _held(session: Session, work: ClaimedJob) -> Job:
    """Lock a job that is ours still; raises LostLeaseError."""
    job = queries.lock_claimed_job(session, work.workspace_id, work.id, work.token)
    if job is None:
        raise LostLeaseError(work.id)
    return job
