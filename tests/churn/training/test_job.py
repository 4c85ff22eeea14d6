import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NoReturn

import pytest
from sqlalchemy.orm import Session

from app.churn.registry import model_queries
from app.churn.training import service as training_service
from app.churn.training.job import KIND, MAX_TIME, Trainer, enqueue_nightly, enqueue_training
from app.core.db import SessionFactory, transaction
from app.jobs import queries as jobs
from app.jobs import service
from app.jobs.service import ClaimedJob
from app.jobs.tables import Job
from app.workspaces.service import Actor
from tests import factories
from tests.churn import fading_workspaces
from tests.conftest import NOW

LATER = NOW + timedelta(seconds=30)


def never_ending(_: ClaimedJob) -> list[str]:
    return [sys.executable, "-c", "import signal; signal.pause()"]


def ending(code: int, _: ClaimedJob) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]


@pytest.fixture
def enqueued(committed: SessionFactory) -> str:
    with transaction(committed) as session:
        factories.workspace(session)
        return enqueue_training(session, Actor("acme", "test", NOW)).id


def job_of(sessions: SessionFactory, job_id: str) -> Job:
    with transaction(sessions) as session:
        return jobs.get_job(session, "acme", job_id)


def test_an_open_training_is_not_enqueued_twice(session: Session) -> None:
    factories.workspace(session)

    first, second = (enqueue_training(session, Actor("acme", "test", NOW)) for _ in range(2))

    assert first is second


def test_every_workspace_with_history_is_trained_once_a_day(session: Session) -> None:
    factories.workspace(session, "young")
    fading_workspaces.create_fading_workspace(session, accounts=2, leave=0)
    sweeps = [NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1)]

    counts = []
    for now in sweeps:
        counts.append(enqueue_nightly(session, now=now))
        for job in session.query(Job):
            job.state = "done"

    assert counts == [1, 0, 1]
    assert {job.workspace_id for job in session.query(Job)} == {"acme"}


def test_a_training_job_runs_to_its_end(sessions: SessionFactory, session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    job = enqueue_training(session, Actor("acme", "test", NOW))
    session.commit()

    training_service.run(
        sessions, service.take_over(sessions, "acme", job.id, now=NOW), lambda: NOW
    )

    session.expire_all()
    done = jobs.get_job(session, "acme", job.id)
    assert (done.state, done.error) == ("done", None)
    assert done.progress["version"] == 1


def out_of_memory(*_: object, **__: object) -> NoReturn:
    raise MemoryError


def test_the_active_model_is_checked_for_drift_although_the_training_fails(
    sessions: SessionFactory, session: Session
) -> None:
    fading_workspaces.create_fading_workspace(session)
    data = training_service.load_training_data(session, "acme", today=NOW.date())
    candidate = training_service.train_candidate(data)
    actor = Actor("acme", "test", NOW)
    training_service.record_training_result(session, actor, candidate, [], compared_with=None)
    model = model_queries.get_model(session, "acme", 1)
    moved = {  # where the accounts of the training had been, none is now
        name: {**column, "counts": [0] * len(column["edges"]) + [0, sum(column["counts"])]}
        for name, column in model.card["profile"].items()
    }
    model.card = {**model.card, "profile": moved}
    job = enqueue_training(session, actor)
    session.commit()
    work = service.take_over(sessions, "acme", job.id, now=NOW)

    training_service.run(sessions, work, lambda: NOW, fit_kind=out_of_memory)

    session.expire_all()
    failed = jobs.get_job(session, "acme", job.id)
    assert (failed.state, failed.error) == ("failed", "The training needed more memory than 4 GiB.")
    assert model_queries.get_model(session, "acme", 1).state == "degraded"


def test_a_cancelled_job_stores_nothing(sessions: SessionFactory, session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    job = enqueue_training(session, Actor("acme", "test", NOW))
    session.commit()
    work = service.take_over(sessions, "acme", job.id, now=NOW)
    service.cancel(jobs.get_job(session, "acme", job.id), now=NOW)
    session.commit()

    training_service.run(sessions, work, lambda: NOW)

    assert jobs.get_job(session, "acme", job.id).state == "cancelled"


def test_the_child_process_trains_on_the_workers_database(committed: SessionFactory) -> None:
    """Run the real command, with one thread and resource limits, and poll it as the worker does."""
    with transaction(committed) as session:
        fading_workspaces.create_fading_workspace(session, leave=3)
        job_id = enqueue_training(session, Actor("acme", "test", datetime.now(UTC))).id
    trainer = Trainer(committed)

    trainer.step(datetime.now(UTC))
    assert trainer.process is not None
    assert trainer.process.wait(120) == 0
    trainer.step(datetime.now(UTC))

    job = job_of(committed, job_id)
    assert (job.state, job.error) == ("done", None)
    assert job.progress["step"] == "done"
    assert trainer.job is None


def test_a_process_that_exits_with_an_error_fails_its_job(
    committed: SessionFactory, enqueued: str
) -> None:
    trainer = Trainer(committed, command=partial(ending, 3))

    trainer.step(NOW)
    assert trainer.process is not None
    trainer.process.wait(60)
    trainer.step(LATER)

    job = job_of(committed, enqueued)
    assert (job.state, job.error) == (
        "failed",
        "The training process ended with exit code 3: see the worker's log.",
    )
    assert trainer.step(LATER) is False


def test_a_process_that_takes_too_long_is_killed(committed: SessionFactory, enqueued: str) -> None:
    trainer = Trainer(committed, command=never_ending)
    trainer.step(NOW)
    process = trainer.process
    assert process is not None

    trainer.step(LATER)
    assert process.poll() is None
    trainer.step(NOW + MAX_TIME)

    assert process.poll() is not None
    job = job_of(committed, enqueued)
    assert (job.state, job.error) == (
        "failed",
        "The training was stopped because it took over 15 minutes.",
    )


def test_the_process_of_a_cancelled_training_is_killed(
    committed: SessionFactory, enqueued: str
) -> None:
    trainer = Trainer(committed, command=never_ending)
    trainer.step(NOW)
    process = trainer.process
    assert process is not None
    with transaction(committed) as session:
        service.cancel(jobs.get_job(session, "acme", enqueued, lock=True), now=NOW)

    trainer.step(LATER)

    assert process.poll() is not None
    assert job_of(committed, enqueued).state == "cancelled"


def test_a_stopping_worker_leaves_a_cancelled_training_as_it_is(
    committed: SessionFactory, enqueued: str
) -> None:
    """The worker that stops has not polled since: the lost lease must not stop its other steps."""
    trainer = Trainer(committed, command=never_ending)
    trainer.step(NOW)
    process = trainer.process
    with transaction(committed) as session:
        service.cancel(jobs.get_job(session, "acme", enqueued, lock=True), now=NOW)

    trainer.release(LATER)

    assert process is not None
    assert process.poll() is not None
    assert trainer.job is None
    assert job_of(committed, enqueued).state == "cancelled"


def test_a_stopping_worker_releases_its_job_for_another(
    committed: SessionFactory, enqueued: str
) -> None:
    trainer, other = (Trainer(committed, command=never_ending) for _ in range(2))
    trainer.step(NOW)
    process = trainer.process

    other.step(LATER)
    assert other.job is None, "the lease has not expired"
    trainer.release(LATER)
    other.step(LATER)

    assert process is not None
    assert process.poll() is not None
    assert other.job is not None
    assert other.job.id == enqueued
    other.release(LATER)
    assert job_of(committed, enqueued).kind == KIND
