"""Train a churn model in this process, for the command line and for the worker's child process."""

from uuid import UUID

from app.churn.training import service
from app.churn.training.job import KIND, enqueue_training
from app.cli.console import console
from app.cli.runtime import ACTOR, open_database
from app.core.db import SessionFactory, transaction
from app.core.errors import UnprocessableError
from app.interventions.queries import load_treated_days
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.workspaces import queries
from app.workspaces.service import Actor


def train(workspace_id: str, job_id: str | None, token: str | None) -> None:
    """Run a training job: the one that a worker has claimed, else a new one."""
    if job_id is not None:
        service.limit_process_resources()
    with open_database() as (sessions, clock, _):
        if job_id is not None and token is not None:
            job = ClaimedJob(job_id, workspace_id, KIND, {}, {}, {}, UUID(token))
        else:
            with transaction(sessions) as session:
                queries.get_workspace(session, workspace_id)
                actor = Actor(workspace_id, ACTOR, clock())
                queued = enqueue_training(session, actor)
            job = jobs.take_over(sessions, workspace_id, queued.id, now=clock())
        service.run(sessions, job, clock, load_treatments=load_treated_days)
        if job_id is None:
            _report(sessions, job)


def _report(sessions: SessionFactory, claimed: ClaimedJob) -> None:
    with transaction(sessions) as session:
        job = job_queries.get_job(session, claimed.workspace_id, claimed.id)
        if job.error is not None:
            raise UnprocessableError(job.error)
        for name, value in job.progress.items():
            console.print(f"{name}: {value}")
