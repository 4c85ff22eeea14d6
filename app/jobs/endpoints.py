from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.jobs import queries, service
from app.jobs.schemas import JobOut
from app.jobs.states import JobState
from app.workspaces.auth import Admin, Reader

router = APIRouter(prefix="/api/v1", tags=["jobs"], responses=problem_responses(401, 403, 404, 422))


@router.get("/jobs")
def list_jobs(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    state: JobState | None = None,
    kind: Annotated[str | None, Query(max_length=40, examples=["import"])] = None,
) -> Page[JobOut]:
    """List long work, newest first. What has ended is kept for 30 days."""
    kinds = () if kind is None else [kind]
    found = queries.list_jobs(session, caller.workspace_id, paging, kinds=kinds, state=state)
    return found.to_page(JobOut.model_validate)


@router.get("/jobs/{job_id}")
def get_job(job_id: Id, session: ReadSessionDep, caller: Reader) -> JobOut:
    """Show one job and how far it is."""
    return JobOut.model_validate(queries.get_job(session, caller.workspace_id, job_id))


@router.post("/jobs/{job_id}/cancel", responses=problem_responses(409))
def cancel_job(job_id: Id, session: SessionDep, caller: Admin, now: Now) -> JobOut:
    """End a job; what its pages have done so far stays."""
    job = queries.get_job(session, caller.workspace_id, job_id, lock=True)
    service.cancel(job, now=now)
    return JobOut.model_validate(job)
