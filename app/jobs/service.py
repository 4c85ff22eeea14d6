"""Enqueue, claim, checkpoint and end jobs; pages of a lost claim are refused (docs/adr/0015)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import ConflictError
from app.jobs import queries
from app.jobs.tables import Job, JobState
from app.workspaces.service import Actor

LEASE = timedelta(seconds=60)
MAX_PAGE_FAILURES = 3
"""The job fails if the same page raises this many times."""
MAX_TAKEOVERS = 10
"""The job fails if this many processes end during the same page; fewer may be restarts."""
MAX_ERROR_LENGTH = 500


class LostLeaseError(Exception):
    """The job was cancelled or taken over by another process. The current page is rolled back."""


class JobEndedError(ConflictError):
    code = "job_ended"


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this process has claimed. ``position``: where its next page starts."""

    id: str
    workspace_id: str
    kind: str
    config: Mapping[str, Any]
    position: Mapping[str, Any]
    progress: Mapping[str, Any]
    token: UUID

    @classmethod
    def from_job(cls, job: Job, token: UUID) -> Self:
        return cls(
            job.id, job.workspace_id, job.kind, job.config, job.position, job.progress, token
        )


JobHandler = Callable[[SessionFactory, ClaimedJob, datetime], bool]
"""Does one page, of at most a second, and calls ``checkpoint`` in the transaction of the page.

Returns whether there is more. Called again after the last page, it must do nothing.
"""


def enqueue(
    session: Session,
    actor: Actor,
    kind: str,
    config: Mapping[str, Any],
    *,
    progress: Mapping[str, Any] | None = None,
) -> Job:
    """Add a job to the queue, in the caller's transaction. Ids sort by creation time."""
    job = Job(
        id=f"job_{round(actor.at.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        workspace_id=actor.workspace_id,
        kind=kind,
        config=dict(config),
        position={},
        progress=dict(progress or {}),
        state=JobState.QUEUED,
        created_at=actor.at,
        created_by=actor.name,
        lease_until=actor.at,
        attempts=0,
    )
    session.add(job)
    session.flush()
    return job


def claim(sessions: SessionFactory, kinds: Collection[str], *, now: datetime) -> ClaimedJob | None:
    """Claim the job that has waited longest: queued, or running with an expired lease."""
    with transaction(sessions) as session:
        job = queries.lock_next_job(session, kinds, now=now, lease=LEASE)
        if job is None:
            return None
        if job.state == JobState.RUNNING:
            job.attempts += 1
            if job.attempts >= MAX_TAKEOVERS:
                error = f"The worker ended {MAX_TAKEOVERS} times during the same page: see its log."
                _end(job, JobState.FAILED, now=now, error=error)
                return None
        return _start(job, now)


def take_over(
    sessions: SessionFactory, workspace_id: str, job_id: str, *, now: datetime
) -> ClaimedJob:
    """Claim one job, even if it failed, was cancelled, or is held by a process, which loses it.

    Raise JobEndedError if the job is done.
    """
    with transaction(sessions) as session:
        job = queries.get_job(session, workspace_id, job_id, lock=True)
        if job.state == JobState.DONE:
            raise JobEndedError(f"Job {job_id} is done: it cannot be continued.")
        job.error = job.finished_at = None
        job.attempts = 0
        return _start(job, now)


def _start(job: Job, now: datetime) -> ClaimedJob:
    job.state, job.token, job.lease_until = JobState.RUNNING, uuid4(), now + LEASE
    job.started_at = job.started_at or now
    return ClaimedJob.from_job(job, job.token)


def renew_lease(sessions: SessionFactory, claimed: ClaimedJob, *, now: datetime) -> ClaimedJob:
    """Extend the lease; return the job as stored. Raise LostLeaseError if the claim is lost."""
    with transaction(sessions) as session:
        job = _lock(session, claimed)
        job.lease_until = now + LEASE
        return ClaimedJob.from_job(job, claimed.token)


def checkpoint(
    session: Session,
    claimed: ClaimedJob,
    *,
    position: Mapping[str, Any],
    progress: Mapping[str, Any],
    now: datetime,
) -> None:
    """Record, in the transaction of a page, that the page is done.

    Raise LostLeaseError if the claim is lost. The error must reach the caller's transaction, so
    that the page is rolled back.
    """
    job = _lock(session, claimed)
    job.position, job.progress = dict(position), dict(progress)
    job.attempts, job.lease_until = 0, now + LEASE


def finish(session: Session, claimed: ClaimedJob, *, now: datetime) -> None:
    _end(_lock(session, claimed), JobState.DONE, now=now)


def fail(session: Session, claimed: ClaimedJob, error: str, *, now: datetime) -> None:
    """End a job as failed. ``error``: a sentence for the user."""
    _end(_lock(session, claimed), JobState.FAILED, now=now, error=error)


def release(session: Session, claimed: ClaimedJob, *, now: datetime) -> None:
    """Return a job to the queue, behind those that have waited longer."""
    job = _lock(session, claimed)
    job.state, job.token, job.lease_until = JobState.QUEUED, None, now


def record_failure(session: Session, claimed: ClaimedJob, error: str, *, now: datetime) -> bool:
    """Count a failure of the current page. Return whether the job has now failed for good."""
    job = _lock(session, claimed)
    job.attempts += 1
    if job.attempts >= MAX_PAGE_FAILURES:
        _end(job, JobState.FAILED, now=now, error=error)
    return job.attempts >= MAX_PAGE_FAILURES


def cancel(job: Job, *, now: datetime) -> None:
    """End a locked job; the page in progress will be rolled back. Idempotent."""
    if job.state in {JobState.DONE, JobState.FAILED}:
        raise JobEndedError(
            f"Job {job.id} is {job.state}: only a queued or running job can be cancelled."
        )
    if job.state != JobState.CANCELLED:
        _end(job, JobState.CANCELLED, now=now)


def _end(job: Job, state: JobState, *, now: datetime, error: str | None = None) -> None:
    job.state, job.finished_at, job.token = state, now, None
    job.error = error[:MAX_ERROR_LENGTH] if error else None


def _lock(session: Session, claimed: ClaimedJob) -> Job:
    """Lock the row of a claimed job. Raise LostLeaseError if the claim is no longer valid."""
    job = queries.lock_claimed_job(session, claimed.workspace_id, claimed.id, claimed.token)
    if job is None:
        raise LostLeaseError(claimed.id)
    return job
