"""Train a churn model in this process, for the command line and for the worker's child process."""

from uuid import UUID

from app.churn.training import job as training_job
from app.cli.runtime import ACTOR, console, get_workspace, open_database
from app.core.db import SessionFactory, transaction
from app.core.errors import UnprocessableError
from app.interventions.intervention_queries import load_treated_days
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.workspaces.service import Actor


def train(workspace_id: str, job_id: str | None, token: str | None) -> None:
    """Run a training job: the one that a worker has claimed, else a new one."""
    if job_id is not None:
        training_job.limit_process_resources()
    with open_database() as (sessions, clock, _):
        if job_id is not None and token is not None:
            job = ClaimedJob(job_id, workspace_id, training_job.KIND, {}, {}, {}, UUID(token))
        else:
            with transaction(sessions) as session:
                get_workspace(session, workspace_id)
                actor = Actor(workspace_id, ACTOR, clock())
                queued = training_job.enqueue_training(session, actor)
            job = jobs.take_over(sessions, workspace_id, queued.id, now=clock())
        training_job.run(sessions, job, clock, load_treatments=load_treated_days)
        if job_id is None:
            _report(sessions, job)


def _report(sessions: SessionFactory, claimed: ClaimedJob) -> None:
    with transaction(sessions) as session:
        job = job_queries.get_job(session, claimed.workspace_id, claimed.id)
        if job.error is not None:
            raise UnprocessableError(job.error)
        for name, value in job.progress.items():
            console.print(f"{name}: {value}", highlight=False)
