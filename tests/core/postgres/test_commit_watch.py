"""Idle threads look for work when a transaction has ended, and now and then."""

from collections.abc import Callable, Iterable

import pytest

from app.accounts.refresh_queue import mark_due
from app.core.db import SessionFactory, transaction
from app.core.postgres import commit_watch
from app.core.postgres.commit_watch import Chore, CommitWatch
from tests import factories


class Watch:
    """A monotonic clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(commit_watch, "time", watch)
    return watch


@pytest.fixture
def commits(committed: SessionFactory, watch: Watch) -> CommitWatch:
    del watch
    return CommitWatch(committed)


def work_with(results: Iterable[bool]) -> tuple[Callable[[], bool], list[bool]]:
    """Return work with these results, and the list of those not yet returned."""
    left = [*results]
    return lambda: left.pop(0), left


def test_a_committed_row_changes_the_snapshot(
    committed: SessionFactory, commits: CommitWatch, watch: Watch
) -> None:
    with transaction(committed) as session:
        factories.account(session, "a1")
    before = commits.snapshot()

    with transaction(committed) as session:
        mark_due(session, "acme", ["a1"])
    watch.now += 1

    assert commits.snapshot() != before


def test_threads_share_what_was_read_a_moment_ago(
    committed: SessionFactory, commits: CommitWatch, watch: Watch
) -> None:
    before = commits.snapshot()
    with transaction(committed) as session:
        factories.account(session, "a1")

    watch.now += commit_watch.READ_SECONDS / 2

    assert commits.snapshot() == before


def test_work_that_was_not_found_is_looked_for_after_a_commit_and_a_pause(watch: Watch) -> None:
    work, left = work_with([False, False, True])
    chore = Chore(work, pause_seconds=2)

    assert [chore.step("1"), chore.step("1"), chore.step("2")] == [False] * 3
    assert len(left) == 2, "the pause is not over"
    watch.now += 2
    assert (chore.step("1"), len(left)) == (False, 2)
    assert (chore.step("2"), len(left)) == (False, 1)
    watch.now += 2
    assert (chore.step("2"), len(left)) == (False, 1)
    watch.now += commit_watch.QUIET_SECONDS
    assert (chore.step("2"), len(left)) == (True, 0)


def test_work_that_was_found_is_continued_at_once(watch: Watch) -> None:
    del watch
    work, left = work_with([True, True, False])
    chore = Chore(work, pause_seconds=2)

    assert [chore.step("1") for _ in range(4)] == [True, True, False, False]
    assert not left
