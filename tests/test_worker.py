"""The two threads of the worker: neither waits for the other, and both end together."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from app.accounts.refresh_queue import Priority, mark_due
from app.core.db import SessionFactory, transaction
from app.core.postgres.commit_watch import Chore
from app.core.settings import Settings
from app.tables import Due, HealthScore
from app.worker import BACKGROUND_EVERY, Worker
from tests import factories
from tests.conftest import ENCRYPTION_KEY
from tests.servers.processes import eventually

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


class BrokenError(Exception):
    """An unexpected error."""


@pytest.fixture
def worker(committed: SessionFactory) -> Worker:
    with transaction(committed) as session:
        factories.account(session, "a1")
    settings = Settings(_env_file=None, encryption_key=SecretStr(ENCRYPTION_KEY))
    return Worker(committed, settings, lambda: NOW)


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def is_scored(worker: Worker) -> bool:
    with transaction(worker.sessions) as session:
        return session.scalar(select(HealthScore.computed_at)) is not None


def test_accounts_are_scored_while_the_loop_is_busy(
    worker: Worker, beside: ThreadPoolExecutor
) -> None:
    begun, done = threading.Event(), threading.Event()

    def long_chore() -> bool:
        begun.set()
        return not done.wait(timeout=120)

    worker.chores = (Chore(long_chore, 0),)
    running = beside.submit(worker.run)
    assert begun.wait(timeout=120)
    with transaction(worker.sessions) as session:
        mark_due(session, "acme", ["a1"])

    eventually(lambda: is_scored(worker))

    worker.stopping.set()
    done.set()
    running.result(timeout=120)


@pytest.mark.parametrize("broken", ["step", "refresh"])
def test_a_thread_that_fails_ends_the_worker(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail() -> bool:
        raise BrokenError

    monkeypatch.setattr(worker, broken, fail)

    with pytest.raises(BrokenError):
        worker.run()


def test_a_sweep_continues_while_more_urgent_work_is_always_waiting(worker: Worker) -> None:
    with transaction(worker.sessions) as session:
        factories.account(session, "a2")
        mark_due(session, "acme", ["a2"], priority=Priority.SWEEP)

    for _ in range(2 * BACKGROUND_EVERY):
        with transaction(worker.sessions) as session:
            mark_due(session, "acme", ["a1"])
            mark_due(session, "acme", ["a1"], priority=Priority.SILENT)
            waiting = session.scalars(select(Due.account_id).order_by(Due.account_id)).all()
        worker.refresh()
        assert "a1" in waiting

    assert "a2" not in waiting
