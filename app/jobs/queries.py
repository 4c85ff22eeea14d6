"""Queries for jobs."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given
from app.jobs.tables import Job, JobState


def lock_next_job(
    session: Session, kinds: Collection[str], *, now: datetime, lease: timedelta
) -> Job | None:
    """Lock the job that has waited longest: a queued one, or one whose lease has expired.

    ``lease``: the longest one. A lease that ends much later was given before the clock went back.
    """
    return session.scalar(
        select(Job)
        .where(
            Job.finished_at.is_(None),
            Job.kind.in_(kinds),
            or_(
                Job.state == JobState.QUEUED,
                Job.lease_until <= now,
                Job.lease_until > now + 2 * lease,
            ),
        )
        .order_by(func.least(Job.lease_until, now), Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def get_job(
    session: Session,
    workspace_id: str,
    job_id: str,
    *,
    kinds: Collection[str] = (),
    noun: str = "job",
    lock: bool = False,
) -> Job:
    """Return a job of one of the ``kinds``; if ``kinds`` is empty, of any kind.

    Raise NotFoundError, in which the job is called ``noun``. With ``lock`` the row is read again.
    """
    statement = select(Job).where(Job.workspace_id == workspace_id, Job.id == job_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    job = session.scalar(statement)
    if job is None or (kinds and job.kind not in kinds):
        raise NotFoundError(noun, job_id)
    return job


def list_jobs(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    kinds: Collection[str] = (),
    state: JobState | None = None,
) -> RowPage[Job]:
    """Return a page of jobs, newest first."""
    rows = filter_if_given(select(Job).where(Job.workspace_id == workspace_id), state=state)
    if kinds:
        rows = rows.where(Job.kind.in_(kinds))
    return fetch_page(session, rows, Job.id, paging=paging, descending=True)


def find_newest_done(
    session: Session, workspace_id: str, kind: str, *, config: Mapping[str, Any]
) -> Job | None:
    """Return the newest finished job of a kind whose config contains ``config``, as JSON does."""
    rows = select(Job).filter_by(workspace_id=workspace_id, kind=kind, state=JobState.DONE)
    newest = (Job.created_at.desc(), Job.id.desc())
    return session.scalar(rows.where(Job.config.contains(config)).order_by(*newest).limit(1))


def lock_claimed_job(session: Session, workspace_id: str, job_id: str, token: UUID) -> Job | None:
    """Lock and return a running job if its claim still has this token."""
    claimed = {"workspace_id": workspace_id, "id": job_id, "token": token}
    statement = select(Job).filter_by(**claimed, state=JobState.RUNNING).with_for_update()
    return session.scalar(statement.execution_options(populate_existing=True))


def delete_finished_jobs(session: Session, *, before: datetime) -> None:
    session.execute(delete(Job).where(Job.finished_at < before))
