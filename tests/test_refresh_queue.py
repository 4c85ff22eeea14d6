"""The queue of accounts to score: nothing marked is lost, whoever works and whatever fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.due import Priority
from app.accounts.queries import ClaimedAccount, claim_due, mark_all_due, mark_due
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
    """Nine accounts, none of them due."""
    with transaction(committed) as session:
        for account_id in IDS:
            factories.account(session, account_id)
    return committed


def mark(sessions: SessionFactory, *account_ids: str, priority: Priority = Priority.LIVE) -> None:
    with transaction(sessions) as session:
        mark_due(session, "acme", account_ids, priority=priority)


def poison(sessions: SessionFactory, *account_ids: str, code: str = "P0001") -> None:
    """Let every refresh of some accounts fail."""
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


def test_what_is_due_is_scored_and_due_no_more(queue: SessionFactory) -> None:
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


def test_what_is_live_of_a_swept_account_is_told_at_once(queue: SessionFactory) -> None:
    """It would else be told when the whole sweep is through."""
    with transaction(queue) as session:
        mark_all_due(session, "acme", priority=Priority.SWEEP)
    mark(queue, "a1")

    with transaction(queue) as session:
        claimed = claim_due(session, limit=3, least=Priority.SWEEP)

    assert [(each.account_id, each.priority, each.notify) for each in claimed] == [
        ("a0", Priority.SWEEP, False),
        ("a1", Priority.LIVE, True),
        ("a2", Priority.SWEEP, False),
    ]
    assert sorted(due(queue)) == IDS[3:]


def test_marking_never_blocks_and_a_wake_up_during_a_refresh_is_not_lost(
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
        found = session.get_one(HealthScore, ("acme", "a1")).details
        assert found["last_used_on"] == "2026-03-18"


def test_what_another_worker_has_claimed_is_passed_over(queue: SessionFactory) -> None:
    mark(queue, *IDS[:5])

    with transaction(queue) as first, transaction(queue) as second:
        assert ids(claim(first, 2)) == ["a0", "a1"]
        assert ids(claim(second)) == ["a2", "a3", "a4"]

    assert due(queue) == []


def test_a_rollback_gives_the_claim_back(queue: SessionFactory) -> None:
    mark(queue, "a1", "a2")

    with queue() as worker:
        assert ids(claim(worker)) == ["a1", "a2"]
        worker.rollback()

    assert due(queue) == ["a1", "a2"]


def test_trouble_with_the_database_is_no_fault_of_the_accounts(queue: SessionFactory) -> None:
    """A serialisation failure, a lost connection: all stay due, and nobody is blamed."""
    poison(queue, "a3", code="40001")
    mark(queue, *IDS)

    with pytest.raises(OperationalError):
        work(queue)

    assert (due(queue), scored(queue), failures(queue)) == (IDS, [], {})


def test_workers_at_once_lose_no_account(queue: SessionFactory) -> None:
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


def test_a_poisoned_account_is_found_and_the_others_get_their_scores(queue: SessionFactory) -> None:
    poison(queue, "a3")
    mark(queue, *IDS)

    work(queue)

    assert scored(queue) == [account_id for account_id in IDS if account_id != "a3"]
    assert due(queue) == ["a3"]
    assert failures(queue) == {"a3": 1}


def test_two_poisoned_accounts_are_both_found(queue: SessionFactory) -> None:
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


def test_failures_are_counted_anew_after_a_success(queue: SessionFactory) -> None:
    """Also where the success came about while another account of the set was found out."""
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


def test_what_is_due_of_a_deleted_workspace_does_not_hold_up_the_others(
    queue: SessionFactory,
) -> None:
    with transaction(queue) as session:
        factories.workspace(session, "gone")
        mark_due(session, "gone", ["x"])
        session.execute(delete(Workspace).where(Workspace.id == "gone"))
    mark(queue, "a1")

    work(queue)

    assert (scored(queue), due(queue), failures(queue)) == (["a1"], [], {})


def test_an_account_that_another_worker_has_stays_due_and_holds_up_nobody(
    queue: SessionFactory,
) -> None:
    mark(queue, "a1", "a2")
    work(queue)  # what all accounts share is made
    mark(queue, "a1")

    with transaction(queue) as first:
        pipeline.refresh(first, "acme", ids(claim(first)), as_of=NOW.date(), now=NOW)
        mark(queue, "a1", "a2")
        assert work(queue) == 1
        assert due(queue) == ["a1"] * 2  # one of them is what the other worker has claimed
    assert due(queue) == ["a1"]
    assert work(queue) == 1

    assert (due(queue), failures(queue)) == ([], {})
