"""Commands for models of churn."""

from typing import Annotated
from uuid import UUID

import typer

from app.churn.training import job as training_job
from app.cli.admin import ACTOR, WorkspaceOption
from app.cli.opened import console, find_workspace, opened
from app.core.db import SessionFactory, transaction
from app.core.errors import UnprocessableError
from app.interventions.treatment_queries import load_treated_days
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.workspaces.service import Actor


def train(
    workspace: WorkspaceOption,
    job: Annotated[str | None, typer.Option(hidden=True)] = None,
    token: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Train a model of churn; it takes over by itself if it has earned that on unseen time."""
    if job is not None:
        training_job.limit_process_resources()
    with opened() as (sessions, clock, _):
        if job is not None and token is not None:
            work = ClaimedJob(job, workspace, training_job.KIND, {}, {}, {}, UUID(token))
        else:
            with transaction(sessions) as session:
                find_workspace(session, workspace)
                ordered = training_job.enqueue_training(session, Actor(workspace, ACTOR, clock()))
            work = jobs.take_over(sessions, workspace, ordered.id, now=clock())
        training_job.run(sessions, work, clock, treated=load_treated_days)
        if job is None:
            report(sessions, work)


def report(sessions: SessionFactory, work: ClaimedJob) -> None:
    with transaction(sessions) as session:
        done = job_queries.get_job(session, work.workspace_id, work.id)
        if done.error is not None:
            raise UnprocessableError(done.error)
        for name, value in done.progress.items():
            console.print(f"{name}: {value}", highlight=False)
