from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given
from app.jobs.states import JobState
from app.jobs.tables import Job


def lock_next_job(session: Session, kinds: Collection[str], *, now: datetime) -> Job | None:
    """Lock the job that has waited longest: one in the queue, or one whose lease has passed."""
    return session.scalar(
        select(Job)
        .where(
            Job.finished_at.is_(None),
            Job.kind.in_(kinds),
            or_(Job.state == JobState.QUEUED, Job.lease_until <= now),
        )
        .order_by(Job.lease_until, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def get_job(
    session: Session,
    workspace_id: str,
    job_id: str,
    *,
    kinds: Collection[str] = (),
    called: str = "job",
    lock: bool = False,
) -> Job:
    """Find a job of some kinds, or of any, or say that there is none that is ``called`` so."""
    job = select(Job).where(Job.workspace_id == workspace_id, Job.id == job_id)
    if lock:
        job = job.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(job)
    if found is None or (kinds and found.kind not in kinds):
        raise NotFoundError(called, job_id)
    return found


def list_jobs(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    kinds: Collection[str] = (),
    state: JobState | None = None,
) -> RowPage[Job]:
    """Newest first."""
    jobs = filter_if_given(select(Job).where(Job.workspace_id == workspace_id), state=state)
    if kinds:
        jobs = jobs.where(Job.kind.in_(kinds))
    return fetch_page(session, jobs, Job.id, paging=paging, newest=True)


def lock_claimed_job(session: Session, workspace_id: str, job_id: str, token: UUID) -> Job | None:
    """Lock a job, if who holds this token still holds it."""
    return session.scalar(
        select(Job)
        .where(
            Job.workspace_id == workspace_id,
            Job.id == job_id,
            Job.token == token,
            Job.state == JobState.RUNNING,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def delete_finished_jobs(session: Session, *, before: datetime) -> None:
    session.execute(delete(Job).where(Job.finished_at < before))
