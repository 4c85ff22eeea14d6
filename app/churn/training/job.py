"""Training as a durable job, in a process of its own with one thread and hard caps."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session
from threadpoolctl import threadpool_limits

from app.churn.training import queries, service
from app.churn.training.observations import Treatments
from app.core import parent_process
from app.core.clock import Clock
from app.core.db import SessionFactory, transaction
from app.core.errors import ProblemError
from app.core.query_helpers import advisory_lock
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob, LostLeaseError
from app.jobs.tables import Job
from app.workspaces.service import Actor

log = structlog.get_logger()

KIND = "train_model"

LoadTreatments = Callable[[Session, str], Treatments]

MAX_TIME = timedelta(minutes=15)
MAX_CPU_SECONDS = 600
MAX_BYTES = 4 * 2**30
NICENESS = 10
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
RETRAIN_AFTER = timedelta(hours=20)
RETRAIN_UNUSABLE_AFTER = timedelta(hours=1)


def enqueue_training(session: Session, by: Actor) -> Job:
    """Have a model trained; a training that is waiting or under way is the same one."""
    advisory_lock(session, KIND, by.workspace_id)
    found = queries.find_open_job(session, by.workspace_id, KIND)
    return found or jobs.enqueue(session, by.workspace_id, KIND, {}, actor=by.actor, now=by.at)


def enqueue_nightly(session: Session, *, now: datetime) -> int:
    """Once a day train for everybody with a past; sooner, where a model does not fit any more."""
    due = queries.list_workspaces_to_train(
        session,
        KIND,
        since=now - RETRAIN_AFTER,
        unfit_since=now - RETRAIN_UNUSABLE_AFTER,
        today=now.date(),
    )
    for workspace_id in due:
        enqueue_training(session, Actor(workspace_id, "worker", now))
    return len(due)


def run(
    sessions: SessionFactory,
    work: ClaimedJob,
    clock: Clock,
    *,
    treated: LoadTreatments = lambda *_: {},
) -> None:
    """Do a training job from start to end; what it stores is committed with the job's end.

    ``treated`` says when something was done about which account, for a workspace.
    """
    try:
        with threadpool_limits(1):
            _run(sessions, work, clock, treated)
    except LostLeaseError:
        log.info("job_lost", job_id=work.id)
    except (ProblemError, MemoryError) as error:
        reason = getattr(error, "detail", "It needed more memory than it may have.")
        with transaction(sessions) as session:
            jobs.fail(session, work, reason, now=clock())


def _run(sessions: SessionFactory, work: ClaimedJob, clock: Clock, treated: LoadTreatments) -> None:
    def tell(step: str) -> None:
        with transaction(sessions) as session:
            jobs.checkpoint(session, work, position={}, progress={"step": step}, now=clock())

    tell("observing")
    with transaction(sessions) as session:
        treatments = treated(session, work.workspace_id)
        material = service.load_training_data(
            session, work.workspace_id, today=clock().date(), treatments=treatments
        )
    candidate = service.train_candidate(material, progress=tell)
    degraded = service.check_active_model(material)
    with transaction(sessions) as session:
        change = Actor(work.workspace_id, f"job:{work.id}", clock())
        done = service.record_training_result(
            session, change, candidate, degraded, over=material.active_model
        )
        jobs.checkpoint(session, work, position={}, progress=done, now=clock())
        jobs.finish(session, work, now=clock())


def limit_process_resources() -> None:
    """Let the operating system end a training that takes too much, and put scoring before it."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))


@dataclass
class Trainer:
    """Starts one training at a time in a process of its own, and watches it without waiting."""

    sessions: SessionFactory
    command: Callable[[ClaimedJob], list[str]] = lambda work: [
        *(sys.executable, "-m", "app", "train", "--workspace", work.workspace_id),
        *("--job", work.id, "--token", str(work.token)),
    ]
    work: ClaimedJob | None = None
    process: "subprocess.Popen[bytes] | None" = None
    ends_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """Start a training or look after the one that runs. Never waits for it."""
        if self.work is None or self.process is None:
            return self._start(now)
        code = self.process.poll()
        try:
            jobs.renew_lease(self.sessions, self.work, now=now)
        except LostLeaseError:  # it is done, or somebody cancelled it
            self._end()
            return False
        if code is not None:
            self._fail(f"The training process ended with {code}.", now)
        elif self.ends_at is not None and now >= self.ends_at:
            self._fail(f"It took longer than {MAX_TIME.seconds // 60} minutes.", now)
        return False

    def _start(self, now: datetime) -> bool:
        self.work = jobs.claim(self.sessions, [KIND], now=now)
        if self.work is None:
            return False
        url = self.sessions.kw["bind"].url.set(drivername="postgresql")
        environment = {
            **parent_process.child_environment(),
            **ONE_THREAD,
            "HEALTH_DATABASE_URL": url.render_as_string(hide_password=False),
        }
        self.process = subprocess.Popen(self.command(self.work), env=environment)  # noqa: S603
        self.ends_at = now + MAX_TIME
        return False

    def _fail(self, reason: str, now: datetime) -> None:
        work = self.work
        self._end()
        if work is not None:
            with transaction(self.sessions) as session:
                jobs.fail(session, work, reason, now=now)

    def release(self, now: datetime) -> None:
        """End what runs and give the job back, for another worker to start again."""
        work = self.work
        self._end()
        if work is not None:
            with transaction(self.sessions) as session:
                jobs.release(session, work, now=now)

    def _end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.work = self.process = self.ends_at = None
