"""A job is done once and by one process at a time, whichever process dies."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import NotFoundError, UnprocessableError
from app.jobs import queries, service
from app.jobs.runner import TIME_SLICE, JobRunner
from app.jobs.service import ClaimedJob, JobEndedError, LostLeaseError
from app.jobs.tables import JobState
from app.tables import Account, Job
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW

LATER = NOW + service.LEASE + timedelta(seconds=1)


@pytest.fixture
def job(session: Session) -> Job:
    factories.workspace(session)
    job = service.enqueue(session, Actor("acme", "test", NOW), "count", {"upto": 3})
    session.commit()
    return job


def count(sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
    """Do a page that creates one account."""
    done = work.position.get("done", 0)
    if done == work.config["upto"]:
        return False
    with transaction(sessions) as session:
        session.add(Account(workspace_id=work.workspace_id, account_id=f"a{done}"))
        service.checkpoint(
            session, work, position={"done": done + 1}, progress={"accounts": done + 1}, now=now
        )
    return True


def stored(session: Session, job: Job) -> Job:
    session.expire_all()
    return queries.get_job(session, "acme", job.id)


def claimed(sessions: SessionFactory, now: datetime = NOW) -> ClaimedJob:
    work = service.claim(sessions, ["count"], now=now)
    assert work is not None
    return work


def test_a_job_is_done_page_by_page(sessions: SessionFactory, session: Session, job: Job) -> None:
    runner = JobRunner(sessions, {"count": count})

    steps = [runner.step(NOW) for _ in range(6)]

    done = stored(session, job)
    assert steps == [True, True, True, True, False, False]
    assert (done.state, done.progress, done.position) == ("done", {"accounts": 3}, {"done": 3})
    assert (done.started_at, done.finished_at, done.error) == (NOW, NOW, None)
    assert session.get(Account, ("acme", "a2"))


def test_a_job_of_another_kind_is_not_claimed(sessions: SessionFactory, job: Job) -> None:
    assert service.claim(sessions, ["other"], now=NOW) is None
    assert job.state == JobState.QUEUED


def test_a_claimed_job_is_not_claimed_by_another(sessions: SessionFactory, job: Job) -> None:
    assert claimed(sessions).id == job.id
    assert service.claim(sessions, ["count"], now=NOW) is None


def test_a_job_with_an_expired_lease_is_taken_over_at_its_position(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    first = claimed(sessions)
    count(sessions, first, NOW)

    second = claimed(sessions, LATER)

    assert second.position == {"done": 1}
    with pytest.raises(LostLeaseError):
        service.renew_lease(sessions, first, now=LATER)
    with pytest.raises(LostLeaseError):
        count(sessions, service.ClaimedJob.from_job(stored(session, job), first.token), LATER)
    assert session.get(Account, ("acme", "a1")) is None, "its page is undone"
    assert count(sessions, second, LATER)


def test_a_page_in_time_extends_the_lease(sessions: SessionFactory, job: Job) -> None:
    work = claimed(sessions)
    almost = NOW + service.LEASE - timedelta(seconds=1)

    count(sessions, work, almost)

    assert service.claim(sessions, ["count"], now=LATER) is None
    assert job.id == work.id


def test_a_page_that_fails_three_times_ends_the_job_with_the_reason(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    def refuse(*_: object) -> bool:
        raise UnprocessableError("The file is no CSV.")

    runner = JobRunner(sessions, {"count": refuse})
    steps = [runner.step(NOW) for _ in range(4)]

    failed = stored(session, job)
    assert steps == [True, True, True, False]
    assert (failed.state, failed.error) == ("failed", "The file is no CSV.")


def test_a_bug_ends_the_job_without_revealing_its_message(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    def raise_bug(*_: object) -> bool:
        raise KeyError("secret")

    runner = JobRunner(sessions, {"count": raise_bug})
    while runner.step(NOW):
        pass

    assert stored(session, job).error == (
        "Internal error (KeyError). The server's log has the details."
    )


def test_failures_are_counted_for_each_page_separately(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    tries = iter([1, 1, 0] * 3)

    def unsteady(sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
        if next(tries, 0):
            raise ValueError
        return count(sessions, work, now)

    runner = JobRunner(sessions, {"count": unsteady})
    while runner.step(NOW):
        pass

    assert stored(session, job).state == "done"


def test_a_job_fails_after_its_process_ended_ten_times(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    for crash in range(service.MAX_TAKEOVERS):
        claimed(sessions, NOW + crash * (LATER - NOW))

    end = NOW + service.MAX_TAKEOVERS * (LATER - NOW)
    assert service.claim(sessions, ["count"], now=end) is None
    assert stored(session, job).state == "failed"


def test_a_cancelled_job_is_lost_to_its_runner(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    runner = JobRunner(sessions, {"count": count})
    runner.step(NOW)
    service.cancel(stored(session, job), now=NOW)
    session.commit()

    assert runner.step(NOW)
    assert runner.job is None
    assert not runner.step(NOW)
    assert stored(session, job).progress == {"accounts": 1}
    assert session.get(Account, ("acme", "a1")) is None


def test_an_ended_job_cannot_be_cancelled(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    runner = JobRunner(sessions, {"count": count})
    while runner.step(NOW):
        pass

    with pytest.raises(JobEndedError):
        service.cancel(stored(session, job), now=NOW)


def test_jobs_share_time_slices(sessions: SessionFactory, session: Session, job: Job) -> None:
    later = NOW + timedelta(seconds=1)
    second = service.enqueue(session, Actor("acme", "test", later), "count", {"upto": 3})
    session.commit()
    runner = JobRunner(sessions, {"count": count_anything})

    for now in (NOW, NOW + TIME_SLICE, NOW + TIME_SLICE):
        runner.step(now)

    assert stored(session, job).position == {"done": 2}
    assert queries.get_job(session, "acme", second.id).position == {"done": 1}


def count_anything(sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
    done = work.position.get("done", 0) + 1
    with transaction(sessions) as session:
        service.checkpoint(session, work, position={"done": done}, progress={}, now=now)
    return True


def test_a_released_job_can_be_claimed_at_once(sessions: SessionFactory, job: Job) -> None:
    runner = JobRunner(sessions, {"count": count})
    runner.step(NOW)

    runner.release(NOW)

    assert claimed(sessions).id == job.id


def test_a_running_or_failed_job_can_be_taken_over(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    first = claimed(sessions)
    with transaction(sessions) as transaction_session:
        service.fail(transaction_session, first, "no disk", now=NOW)

    again = service.take_over(sessions, "acme", job.id, now=NOW)

    row = stored(session, job)
    assert (row.state, row.error, row.finished_at) == ("running", None, None)
    assert again.token != first.token


def test_jobs_that_ended_long_ago_are_deleted(
    sessions: SessionFactory, session: Session, job: Job
) -> None:
    with transaction(sessions) as transaction_session:
        service.finish(transaction_session, claimed(sessions), now=NOW)

    queries.delete_finished_jobs(session, before=NOW)
    assert stored(session, job)
    queries.delete_finished_jobs(session, before=NOW + timedelta(days=1))
    with pytest.raises(NotFoundError):
        queries.get_job(session, "acme", job.id)
