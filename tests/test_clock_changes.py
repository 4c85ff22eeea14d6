"""A clock that is set back or forward by a day delays nothing and doubles nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import pipeline
from app.cli.runtime import open_database
from app.core.clock import DATABASE_TIME, DatabaseClock
from app.core.db import SessionFactory, transaction
from app.core.settings import Settings
from app.jobs import service as jobs
from app.jobs.runner import TIME_SLICE, JobRunner
from app.jobs.service import ClaimedJob
from app.jobs.tables import JobState
from app.lifecycle.processing import process_next_page
from app.tables import Delivery, Job
from app.webhooks import outbox
from app.webhooks.delivery_results import LEASE
from app.webhooks.endpoint_state import MAX_PAUSE
from app.webhooks.retry import MAX_WAIT, longest_wait
from app.worker import Worker
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import ENCRYPTION_KEY, NOW
from tests.lifecycle.id_changes import LATER, process_all, request_change
from tests.servers.processes import free_port
from tests.webhooks.delivery import create_endpoint, get_endpoint, list_deliveries
from tests.webhooks.samples import sample

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
SETTINGS = Settings(_env_file=None, encryption_key=SecretStr(ENCRYPTION_KEY))


def enqueue(session: Session, at: datetime = NOW) -> Job:
    job = jobs.enqueue(session, Actor("acme", "test", at), "endless", {})
    session.commit()
    return job


def endless_page(sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
    with transaction(sessions) as session:
        done = {"done": work.position.get("done", 0) + 1}
        jobs.checkpoint(session, work, position=done, progress={}, now=now)
    return True


@pytest.mark.parametrize("step", [-DAY, DAY])
def test_the_job_of_a_lost_process_is_taken_over_although_the_clock_was_set(
    sessions: SessionFactory, session: Session, step: timedelta
) -> None:
    factories.workspace(session)
    job = enqueue(session)
    assert jobs.claim(sessions, ["endless"], now=NOW) is not None

    taken = jobs.claim(sessions, ["endless"], now=NOW + step)

    assert taken is not None
    assert taken.id == job.id


def test_the_job_of_a_living_process_is_left_to_it_by_a_clock_a_little_behind(
    sessions: SessionFactory, session: Session
) -> None:
    factories.workspace(session)
    enqueue(session)
    assert jobs.claim(sessions, ["endless"], now=NOW) is not None

    assert jobs.claim(sessions, ["endless"], now=NOW - SECOND) is None


def test_jobs_take_turns_after_the_clock_went_back(
    sessions: SessionFactory, session: Session
) -> None:
    factories.workspace(session)
    first, runner = enqueue(session), JobRunner(sessions, {"endless": endless_page})
    runner.step(NOW)
    second = enqueue(session, NOW - DAY)

    for at in (-DAY, -DAY + TIME_SLICE, -DAY + TIME_SLICE):
        runner.step(NOW + at)

    session.expire_all()
    assert session.get_one(Job, second.id).state == JobState.RUNNING
    assert session.get_one(Job, first.id).state == JobState.QUEUED


class SetClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def worker(sessions: SessionFactory, clock: SetClock) -> Worker:
    return Worker(sessions, SETTINGS, clock)


def create_deliveries(session: Session, **columns: object) -> str:
    """Create an endpoint with a delivery that has these columns; return the endpoint's id."""
    endpoint_id, _ = create_endpoint(session)
    outbox.publish(session, "acme", [sample("alert.opened")], now=NOW)
    session.commit()
    assert list_deliveries(session)
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    session.execute(text(f"UPDATE delivery SET {sets}"), columns)  # noqa: S608
    session.commit()
    return endpoint_id


def due_at(session: Session) -> datetime:
    [delivery] = list_deliveries(session)
    assert isinstance(delivery, Delivery)
    return delivery.due_at


@pytest.mark.parametrize(
    ("columns", "latest"),
    [
        ({"attempts": 0, "due_at": NOW}, 0 * SECOND),
        ({"attempts": 0, "due_at": NOW + LEASE, "token": UUID(int=1)}, LEASE),
        ({"attempts": 1, "due_at": NOW + 5 * SECOND}, longest_wait(1)),
        ({"attempts": 2, "due_at": NOW + MAX_WAIT}, longest_wait(2)),
        ({"attempts": 9, "due_at": NOW + longest_wait(9)}, longest_wait(9)),
    ],
)
def test_no_delivery_waits_longer_after_the_clock_went_back(
    worker: Worker,
    clock: SetClock,
    session: Session,
    columns: dict[str, object],
    latest: timedelta,
) -> None:
    create_deliveries(session, **columns)
    worker.follow_clock()
    clock.time = NOW - DAY

    worker.follow_clock()

    assert due_at(session) <= clock.time + latest


def test_a_pause_of_an_endpoint_is_not_longer_after_the_clock_went_back(
    worker: Worker, clock: SetClock, session: Session
) -> None:
    endpoint_id = create_deliveries(session, due_at=NOW)
    session.execute(text("UPDATE webhook_endpoint SET resume_at = :at"), {"at": NOW})
    session.commit()
    worker.follow_clock()
    clock.time = NOW - DAY

    worker.follow_clock()

    assert get_endpoint(session, endpoint_id).resume_at == clock.time + MAX_PAUSE


def test_waits_stay_while_the_clock_goes_on(
    worker: Worker, clock: SetClock, session: Session
) -> None:
    create_deliveries(session, attempts=1, due_at=NOW + MAX_WAIT)
    worker.follow_clock()
    clock.time += SECOND / 2
    worker.follow_clock()
    clock.time -= SECOND / 4
    worker.follow_clock()
    worker.housekeeping()

    assert due_at(session) == NOW + MAX_WAIT


def test_a_worker_that_starts_after_the_clock_went_back_bounds_all_waits(
    worker: Worker, session: Session
) -> None:
    create_deliveries(session, attempts=0, due_at=NOW + DAY)

    worker.housekeeping()

    assert due_at(session) <= NOW


def test_an_id_change_goes_on_after_the_clock_went_back(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """Its start, and the fence that is set by the clock of the database, lie a day ahead."""
    factories.account(session, "a1")
    session.commit()
    record = request_change(client, "DELETE", "accounts/a1")
    process_all(sessions, now=LATER - DAY)
    assert client.get(f"/api/v1/erasures/{record['id']}").json()["state"] == "done"


def test_a_fence_that_lies_ahead_does_not_hold_up_new_transactions(
    client: TestClient, sessions: SessionFactory, session: Session, engine: Engine
) -> None:
    factories.account(session, "a1")
    session.commit()
    request_change(client, "DELETE", "accounts/a1")
    ahead = {"at": datetime.now(UTC) + DAY}
    session.execute(text("UPDATE id_change SET fenced_at = :at"), ahead)
    session.commit()

    with engine.connect() as other:
        other.execute(text("SELECT 1"))
        assert not process_next_page(sessions, now=LATER)  # it may know nothing of the change
        other.rollback()
        other.execute(text("SELECT 1"))
        session.execute(text("SELECT pg_stat_clear_snapshot()"))  # as in another transaction
        assert process_next_page(sessions, now=LATER)


def test_the_day_that_comes_again_is_swept_again(
    sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "a1")
    session.commit()

    swept = []
    for day in (NOW, NOW + DAY, NOW, NOW, NOW + DAY):
        with transaction(sessions) as own:
            swept.append(pipeline.sweep(own, today=day.date()))

    assert swept == [1, 1, 1, 0, 1]


def test_all_processes_have_the_clock_of_the_database(sessions: SessionFactory) -> None:
    clock = DatabaseClock()
    clock.set(NOW - DAY)  # as if the clock of this machine were wrong
    assert NOW - DAY <= clock() < NOW
    with sessions() as session:
        before = session.execute(DATABASE_TIME).scalar_one()
    clock.read(sessions)
    reading = clock()

    assert before <= reading <= clock()


def test_a_clock_for_demos_is_ahead_of_the_database(sessions: SessionFactory) -> None:
    ahead, right = DatabaseClock(DAY.total_seconds()), DatabaseClock()
    for clock in (right, ahead):
        clock.read(sessions)
    now = right()

    assert ahead() >= now + DAY - SECOND


@pytest.mark.usefixtures("quiet_logs")
def test_a_process_starts_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    monkeypatch.setenv("HEALTH_DATABASE_URL", url)

    with open_database() as (_, clock, _settings):
        assert abs(clock() - datetime.now(UTC)) < timedelta(minutes=1)
