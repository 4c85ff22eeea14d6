from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.rows import newest_first, only
from app.jobs.states import State
from app.jobs.tables import Job


def next_job(session: Session, kinds: Collection[str], *, now: datetime) -> Job | None:
    """Lock the job that has waited longest: one in the queue, or one whose lease has passed."""
    return session.scalar(
        select(Job)
        .where(
            Job.finished_at.is_(None),
            Job.kind.in_(kinds),
            or_(Job.state == State.QUEUED, Job.lease_until <= now),
        )
        .order_by(Job.lease_until, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def find(session: Session, workspace_id: str, job_id: str, *, lock: bool = False) -> Job | None:
    job = select(Job).where(Job.workspace_id == workspace_id, Job.id == job_id)
    if lock:
        job = job.with_for_update().execution_options(populate_existing=True)
    return session.scalar(job)


def get(session: Session, workspace_id: str, job_id: str, *, lock: bool = False) -> Job:
    job = find(session, workspace_id, job_id, lock=lock)
    if job is None:
        raise NotFoundError("job", job_id)
    return job


def list_jobs(
    session: Session,
    workspace_id: str,
    *,
    kinds: Collection[str] = (),
    state: State | None = None,
    before: str | None = None,
    limit: int,
) -> Sequence[Job]:
    """Newest first."""
    jobs = only(select(Job).where(Job.workspace_id == workspace_id), state=state)
    if kinds:
        jobs = jobs.where(Job.kind.in_(kinds))
    return session.scalars(newest_first(jobs, Job.id, before=before, limit=limit)).all()


def held(session: Session, workspace_id: str, job_id: str, token: UUID) -> Job | None:
    """Lock a job, if who holds this token still holds it."""
    return session.scalar(
        select(Job)
        .where(_is_held(workspace_id, job_id, token))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def change_held(
    session: Session,
    workspace_id: str,
    job_id: str,
    token: UUID,
    columns: Mapping[str, Any],
) -> bool:
    """Change a job in the name of a token. Returns whether that one still holds it."""
    done = session.execute(
        update(Job).where(_is_held(workspace_id, job_id, token)).values(dict(columns)),
        execution_options={"synchronize_session": False},
    )
    return isinstance(done, CursorResult) and done.rowcount == 1


def drop_finished(session: Session, *, before: datetime) -> None:
    session.execute(delete(Job).where(Job.finished_at < before))


def _is_held(workspace_id: str, job_id: str, token: UUID) -> Any:  # noqa: ANN401 - a condition
    return and_(
        Job.workspace_id == workspace_id,
        Job.id == job_id,
        Job.token == token,
        Job.state == State.RUNNING,
    )
