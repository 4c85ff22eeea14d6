"""The refresh queue: no mark is lost, whichever worker runs and whatever fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.refresh_queue import ClaimedAccount, Priority, claim_due, mark_all_due, mark_due
from app.core.db import SessionFactory, transaction
from app.tables import Due, HealthScore, ParkedAccount, Workspace
from tests import factories

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


IDS = [f"a{number}" for number in range(9)]


POISON = """
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'spoiled' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER spoil BEFORE UPDATE ON health_score FOR EACH ROW
    WHEN (NEW.account_id = ANY ('{{{ids}}}')) EXECUTE FUNCTION spoil()
"""


@pytest.fixture
def queue(committed: SessionFactory) -> SessionFactory:
    """Insert nine accounts, none of them due."""
    with transaction(committed) as session:
        for account_id in IDS:
            factories.account(session, account_id)
    return committed


def mark(sessions: SessionFactory, *account_ids: str, priority: Priority = Priority.LIVE) -> None:
    with transaction(sessions) as session:
        mark_due(session, "acme", account_ids, priority=priority)


def poison(sessions: SessionFactory, *account_ids: str, code: str = "P0001") -> None:
    """Make every refresh of some accounts fail."""
    with transaction(sessions) as session:
        session.execute(text(POISON.format(code=code, ids=",".join(account_ids))))


def heal(sessions: SessionFactory) -> None:
    with transaction(sessions) as session:
        session.execute(text("DROP FUNCTION spoil CASCADE"))


def work(sessions: SessionFactory, *, limit: int = 500) -> int:
    return pipeline.refresh_due(sessions, now=NOW, limit=limit)


def due(sessions: SessionFactory) -> list[str]:
    with transaction(sessions) as session:
        return list(session.scalars(select(Due.account_id).order_by(Due.id)))


def scored(sessions: SessionFactory) -> list[str]:
    with transaction(sessions) as session:
        found = select(HealthScore.account_id).where(HealthScore.computed_at.is_not(None))
        return sorted(session.scalars(found))


def failures(sessions: SessionFactory) -> dict[str, int]:
    with transaction(sessions) as session:
        rows = session.execute(select(ParkedAccount.account_id, ParkedAccount.failures))
        return {row.account_id: row.failures for row in rows}


def parked_so_far() -> float:
    return REGISTRY.get_sample_value("health_parked_accounts_total") or 0


def ids(claimed: list[ClaimedAccount]) -> list[str]:
    return [each.account_id for each in claimed]


def claim(session: Session, limit: int = 100) -> list[ClaimedAccount]:
    return list(claim_due(session, limit=limit))


def test_a_due_account_is_scored_and_no_longer_due(queue: SessionFactory) -> None:
    mark(queue, "a1", "a2")

    assert work(queue) == 2

    assert (scored(queue), due(queue)) == (["a1", "a2"], [])
    assert work(queue) == 0


def test_live_work_goes_before_sweeps(queue: SessionFactory) -> None:
    mark(queue, *IDS[:5], priority=Priority.SWEEP)
    mark(queue, "a7", priority=Priority.SILENT)
    mark(queue, "a8")

    work(queue, limit=1)
    assert scored(queue) == ["a8"]
    work(queue, limit=1)
    assert scored(queue) == ["a7", "a8"]
    work(queue, limit=2)
    assert scored(queue) == ["a0", "a1", "a7", "a8"]


def test_a_live_mark_of_a_swept_account_is_notified_at_once(queue: SessionFactory) -> None:
    """Otherwise the notification would wait for the end of the sweep."""
    with transaction(queue) as session:
        mark_all_due(session, "acme", priority=Priority.SWEEP)
    mark(queue, "a1")

    with transaction(queue) as session:
        claimed = claim_due(session, limit=3, from_priority=Priority.SWEEP)

    assert [(each.account_id, each.priority, each.notify) for each in claimed] == [
        ("a0", Priority.SWEEP, False),
        ("a1", Priority.LIVE, True),
        ("a2", Priority.SWEEP, False),
    ]
    assert sorted(due(queue)) == IDS[3:]


def test_marking_never_blocks_and_a_mark_during_a_refresh_is_not_lost(
    queue: SessionFactory,
) -> None:
    mark(queue, "a1")

    with transaction(queue) as worker:
        pipeline.refresh(worker, "acme", ids(claim(worker)), as_of=NOW.date(), now=NOW)
        with transaction(queue) as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            mark_due(other, "acme", ["a1"])
            factories.usage(other, NOW.date())

    assert due(queue) == ["a1"]
    work(queue)
    with transaction(queue) as session:
        details = session.get_one(HealthScore, ("acme", "a1")).details
        assert details["last_used_on"] == "2026-03-18"


def test_accounts_that_another_worker_has_claimed_are_skipped(queue: SessionFactory) -> None:
    mark(queue, *IDS[:5])

    with transaction(queue) as first, transaction(queue) as second:
        assert ids(claim(first, 2)) == ["a0", "a1"]
        assert ids(claim(second)) == ["a2", "a3", "a4"]

    assert due(queue) == []


def test_a_rollback_returns_the_claim(queue: SessionFactory) -> None:
    mark(queue, "a1", "a2")

    with queue() as worker:
        assert ids(claim(worker)) == ["a1", "a2"]
        worker.rollback()

    assert due(queue) == ["a1", "a2"]


def test_a_database_error_does_not_count_as_a_failure_of_the_accounts(
    queue: SessionFactory,
) -> None:
    """After a serialisation failure or a lost connection all stay due and no failure is counted."""
    poison(queue, "a3", code="40001")
    mark(queue, *IDS)

    with pytest.raises(OperationalError):
        work(queue)

    assert (due(queue), scored(queue), failures(queue)) == (IDS, [], {})


def test_concurrent_workers_lose_no_account(queue: SessionFactory) -> None:
    def work_until_done() -> None:
        while work(queue, limit=4):
            pass

    mark(queue, *IDS)
    with ThreadPoolExecutor(5) as threads:
        workers = [threads.submit(work_until_done) for _ in range(3)]
        markers = [threads.submit(mark, queue, *IDS[::step]) for step in (1, -1, 2)]
        for each in [*markers, *workers]:
            each.result(timeout=120)
    work_until_done()

    assert (scored(queue), due(queue), failures(queue)) == (IDS, [], {})


def test_a_failing_account_is_isolated_and_the_others_are_scored(queue: SessionFactory) -> None:
    poison(queue, "a3")
    mark(queue, *IDS)

    work(queue)

    assert scored(queue) == [account_id for account_id in IDS if account_id != "a3"]
    assert due(queue) == ["a3"]
    assert failures(queue) == {"a3": 1}


def test_two_failing_accounts_are_both_isolated(queue: SessionFactory) -> None:
    poison(queue, "a0", "a8")
    mark(queue, *IDS)

    work(queue)

    assert scored(queue) == IDS[1:8]
    assert failures(queue) == {"a0": 1, "a8": 1}


def test_after_three_failures_alone_an_account_is_parked_and_reported(
    queue: SessionFactory,
) -> None:
    poison(queue, "a3")
    mark(queue, *IDS)
    before = parked_so_far()

    work(queue)
    work(queue)
    assert (due(queue), parked_so_far()) == (["a3"], before)
    work(queue)

    assert (due(queue), failures(queue)) == ([], {"a3": 3})
    assert parked_so_far() == before + 1
    with transaction(queue) as session:
        parked = session.get_one(ParkedAccount, ("acme", "a3"))
        assert (parked.error, parked.failed_at) == ("ProgrammingError", NOW)


def test_a_new_mark_gives_a_parked_account_another_chance(queue: SessionFactory) -> None:
    poison(queue, "a3")
    mark(queue, "a3")
    for _ in range(3):
        work(queue)
    assert due(queue) == []

    mark(queue, "a3")
    work(queue)
    assert (due(queue), failures(queue)) == ([], {"a3": 4}), "one chance, not three"

    heal(queue)
    mark(queue, "a3")
    work(queue)
    assert (scored(queue), failures(queue)) == (["a3"], {})


def test_a_success_resets_the_failures(queue: SessionFactory) -> None:
    """Also if the success happened while another account of the batch was isolated."""
    poison(queue, "a3")
    mark(queue, "a3")
    work(queue)
    heal(queue)
    assert failures(queue) == {"a3": 1}

    poison(queue, "a4")
    mark(queue, *IDS)
    work(queue)

    assert failures(queue) == {"a4": 1}
    assert "a3" in scored(queue)


def test_due_accounts_of_a_deleted_workspace_do_not_delay_others(
    queue: SessionFactory,
) -> None:
    with transaction(queue) as session:
        factories.workspace(session, "gone")
        mark_due(session, "gone", ["x"])
        session.execute(delete(Workspace).where(Workspace.id == "gone"))
    mark(queue, "a1")

    work(queue)

    assert (scored(queue), due(queue), failures(queue)) == (["a1"], [], {})


def test_an_account_locked_by_another_worker_stays_due_and_delays_no_other(
    queue: SessionFactory,
) -> None:
    mark(queue, "a1", "a2")
    work(queue)  # creates what all accounts share
    mark(queue, "a1")

    with transaction(queue) as first:
        pipeline.refresh(first, "acme", ids(claim(first)), as_of=NOW.date(), now=NOW)
        mark(queue, "a1", "a2")
        assert work(queue) == 1
        assert due(queue) == ["a1"] * 2  # one of them is claimed by the other worker
    assert due(queue) == ["a1"]
    assert work(queue) == 1

    assert (due(queue), failures(queue)) == ([], {})
