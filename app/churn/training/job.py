"""Training as a durable job: when one is due, and the child process that runs it."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.churn.training import queries
from app.core import parent_process
from app.core.db import SessionFactory, transaction
from app.core.query_helpers import advisory_lock
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob, LostLeaseError
from app.jobs.tables import Job
from app.workspaces.service import Actor

KIND = queries.TRAINING

MAX_TIME = timedelta(minutes=15)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
RETRAIN_AFTER = timedelta(hours=20)
RETRAIN_UNUSABLE_AFTER = timedelta(hours=1)


def enqueue_training(session: Session, actor: Actor) -> Job:
    """Enqueue a training, or return the job of one that is queued or running."""
    workspace_id = actor.workspace_id
    advisory_lock(session, KIND, workspace_id)
    job = queries.find_open_job(session, workspace_id, KIND)
    return job or jobs.enqueue(session, actor, KIND, {})


def enqueue_nightly(session: Session, *, now: datetime) -> int:
    """Enqueue a daily training for every workspace with enough history; return how many.

    A workspace whose active model was written by other library versions is trained sooner.
    """
    due = queries.list_workspaces_to_train(
        session,
        KIND,
        since=now - RETRAIN_AFTER,
        unusable_since=now - RETRAIN_UNUSABLE_AFTER,
        today=now.date(),
    )
    for workspace_id in due:
        enqueue_training(session, Actor(workspace_id, "worker", now))
    return len(due)


@dataclass
class Trainer:
    """Runs one training at a time in a child process and polls it. No method waits for it."""

    sessions: SessionFactory
    command: Callable[[ClaimedJob], list[str]] = lambda claimed: [
        *(sys.executable, "-m", "app", "train", "--workspace", claimed.workspace_id),
        *("--job", claimed.id, "--token", str(claimed.token)),
    ]
    job: ClaimedJob | None = None
    process: "subprocess.Popen[bytes] | None" = None
    ends_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """Start a training, or poll the running one. Always returns False: there are no pages."""
        if self.job is None or self.process is None:
            return self._start(now)
        code = self.process.poll()
        try:
            jobs.renew_lease(self.sessions, self.job, now=now)
        except LostLeaseError:  # the job is done or was cancelled
            self._end()
            return False
        if code is not None:
            self._fail(
                f"The training process ended with exit code {code}: see the worker's log.", now
            )
        elif now >= self._latest_end(now):
            minutes = MAX_TIME.seconds // 60
            self._fail(f"The training was stopped because it took over {minutes} minutes.", now)
        return False

    def _latest_end(self, now: datetime) -> datetime:
        """Return when the training is stopped, at the latest ``MAX_TIME`` from now."""
        self.ends_at = min(self.ends_at or now + MAX_TIME, now + MAX_TIME)
        return self.ends_at

    def _start(self, now: datetime) -> bool:
        self.job = jobs.claim(self.sessions, [KIND], now=now)
        if self.job is None:
            return False
        url = self.sessions.kw["bind"].url.set(drivername="postgresql")
        environment = {
            **parent_process.child_environment(),
            **ONE_THREAD,
            "HEALTH_DATABASE_URL": url.render_as_string(hide_password=False),
        }
        self.process = subprocess.Popen(self.command(self.job), env=environment)  # noqa: S603
        self.ends_at = now + MAX_TIME
        return False

    def _fail(self, reason: str, now: datetime) -> None:
        if claimed := self._end():
            with suppress(LostLeaseError), transaction(self.sessions) as session:
                jobs.fail(session, claimed, reason, now=now)

    def release(self, now: datetime) -> None:
        """Stop the running training and release its job, so that another worker can start it."""
        if claimed := self._end():
            with suppress(LostLeaseError), transaction(self.sessions) as session:
                jobs.release(session, claimed, now=now)

    def _end(self) -> ClaimedJob | None:
        """Stop the process if it still runs; return the job that it had."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        claimed, self.job, self.process, self.ends_at = self.job, None, None, None
        return claimed
