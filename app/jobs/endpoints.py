"""Jobs over HTTP: list, get, cancel."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.jobs import queries, service
from app.jobs.schemas import JobOut
from app.jobs.tables import JobState
from app.workspaces.auth import Admin, Reader
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1",
    tags=["jobs"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=IdempotentRoute,
)


@router.get("/jobs", summary="List jobs")
def list_jobs(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    kind: Annotated[
        str | None,
        Query(max_length=40, description="Only jobs of this kind.", examples=["import"]),
    ] = None,
) -> Page[JobOut]:
    """List jobs, newest first. Jobs are deleted 30 days after they ended."""
    kinds = () if kind is None else [kind]
    rows = queries.list_jobs(session, caller.workspace_id, paging, kinds=kinds, state=state)
    return rows.to_page(JobOut.model_validate)


@router.get("/jobs/{job_id}", summary="Get a job")
def get_job(job_id: Id, session: ReadSessionDep, caller: Reader) -> JobOut:
    """Return the state and progress of a job."""
    return JobOut.model_validate(queries.get_job(session, caller.workspace_id, job_id))


@router.post("/jobs/{job_id}/cancel", responses=problem_responses(409), summary="Cancel a job")
def cancel_job(job_id: Id, session: SessionDep, caller: Admin, now: Now) -> JobOut:
    """End a queued or running job. Completed pages are kept, the current page is rolled back.

    Cancelling a cancelled job has no effect.
    """
    job = queries.get_job(session, caller.workspace_id, job_id, lock=True)
    service.cancel(job, now=now)
    return JobOut.model_validate(job)
