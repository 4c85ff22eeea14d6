"""Accounts wake when a deadline passes, without an event and before midnight.

A worker with a clock that the test moves. A chat ticket is opened at 09:00; the standard of a chat
is 30 minutes, so the first reply is overdue after 09:30.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.core.db import SessionFactory, transaction
from app.engagement import service
from app.engagement.reply_standards.service import put_standards
from app.tables import AccountDeadline, AccountSignal, Due, StaleAccount
from app.worker import Worker
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW, SETTINGS, attach_test_storage, client_of
from tests.lifecycle.id_changes import erase, move_account


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 18, hour, minute, second, tzinfo=UTC)


class World:
    """A workspace with a standard of 30 minutes for chats, a clock, and a worker."""

    def __init__(self, sessions: SessionFactory) -> None:
        self.sessions, self.now = sessions, at(9, 0)
        self.worker = self.new_worker()
        self.set_standard(30)

    def new_worker(self) -> Worker:
        return Worker(self.sessions, SETTINGS, lambda: self.now)

    def actor(self, workspace_id: str = "acme") -> Actor:
        return Actor(workspace_id, "test", self.now)

    def set_standard(self, minutes: int, *, workspace_id: str = "acme") -> None:
        with transaction(self.sessions) as session:
            factories.workspace(session, workspace_id)
            put_standards(session, self.actor(workspace_id), {"channels": {"chat": minutes}})

    def ticket(
        self,
        ticket_id: str = "t1",
        *,
        workspace_id: str = "acme",
        **fields: Any,  # noqa: ANN401
    ) -> None:
        names = ("user_id", "subject", "priority", "opened_at", "replied_at", "closed_at")
        columns = {"account_id": "a1", "channel": "chat", **dict.fromkeys(names), **fields}
        with transaction(self.sessions) as session:
            service.put_ticket(session, self.actor(workspace_id), ticket_id, columns)

    def move_clock(self, now: datetime) -> bool:
        """Move the clock; let a worker look once; return whether it marked an account."""
        self.now = now
        marked = self.worker.watch_deadlines()
        self.refresh()
        return marked

    def refresh(self) -> None:
        while self.worker.refresh():
            pass

    def slow(self, workspace_id: str = "acme") -> bool:
        """Whether the signal ``support_slow`` is open."""
        with transaction(self.sessions) as session:
            opened = select(AccountSignal.account_id).filter_by(
                workspace_id=workspace_id, signal="support_slow", cleared_at=None
            )
            return bool(session.scalars(opened).all())

    def deadlines(self, kind: str = "reply") -> list[tuple[str, datetime]]:
        with transaction(self.sessions) as session:
            rows = session.query(AccountDeadline).filter_by(kind=kind)
            return [(row.account_id, row.due_at) for row in rows.order_by("account_id")]

    def marks(self) -> int:
        with transaction(self.sessions) as session:
            return session.query(Due).count()


@pytest.fixture
def world(committed: SessionFactory) -> World:
    return World(committed)


def test_a_reply_that_becomes_overdue_opens_the_signal(world: World) -> None:
    world.ticket()
    world.refresh()
    assert world.deadlines() == [("a1", at(9, 30))]

    assert (world.move_clock(at(9, 29)), world.slow()) == (False, False)
    assert (world.move_clock(at(9, 30)), world.slow()) == (False, False)  # in time until then
    assert (world.move_clock(at(9, 31)), world.slow()) == (True, True)
    assert (world.move_clock(at(9, 32)), world.deadlines()) == (False, [])


def test_the_loop_of_a_worker_watches_deadlines(world: World) -> None:
    world.ticket()
    for now in (at(9, 0), at(9, 31)):
        world.now = now
        worker = world.new_worker()
        while worker.step():  # until there is nothing to do
            pass
        assert world.slow() is (now == at(9, 31))


def test_a_reply_in_time_takes_the_deadline_away(world: World) -> None:
    world.ticket()
    world.refresh()
    world.now = at(9, 20)
    world.ticket(replied_at=at(9, 20))
    world.refresh()

    assert world.deadlines() == []
    assert (world.move_clock(at(9, 31)), world.slow()) == (False, False)


def test_a_reply_that_is_not_refreshed_yet_wakes_the_account_harmlessly(world: World) -> None:
    world.ticket()
    world.refresh()
    world.now = at(9, 20)
    world.ticket(replied_at=at(9, 20))

    assert (world.move_clock(at(9, 31)), world.slow()) == (True, False)


def test_a_changed_standard_moves_the_deadline(world: World) -> None:
    world.ticket()
    world.refresh()

    world.set_standard(45)
    world.refresh()
    assert world.deadlines() == [("a1", at(9, 45))]
    assert (world.move_clock(at(9, 31)), world.slow()) == (False, False)
    assert (world.move_clock(at(9, 46)), world.slow()) == (True, True)

    world.set_standard(60)  # the reply is due at 10:00 and no longer overdue
    world.refresh()
    assert (world.slow(), world.deadlines()) == (False, [("a1", at(10, 0))])

    world.now = at(9, 50)
    world.set_standard(5)  # due at 09:05
    world.refresh()
    assert (world.slow(), world.deadlines()) == (True, [])


def test_each_ticket_wakes_the_account(world: World) -> None:
    world.ticket("t1")
    world.ticket("t2", opened_at=at(9, 10))
    world.refresh()

    assert world.move_clock(at(9, 31))
    assert world.deadlines() == [("a1", at(9, 40))]
    assert world.move_clock(at(9, 41))
    with transaction(world.sessions) as session:
        [signal] = session.query(AccountSignal).filter_by(signal="support_slow", cleared_at=None)
        assert (signal.severity, signal.evidence["late"]) == ("high", 2)


def test_a_changed_channel_or_priority_moves_the_deadline(world: World) -> None:
    world.ticket(channel="email")
    world.refresh()
    assert world.deadlines() == [("a1", at(9, 0) + timedelta(days=1))]

    world.now = at(9, 1)
    world.ticket(channel=None, priority="urgent")
    world.refresh()
    assert world.deadlines() == [("a1", at(11, 0))]


def test_a_workspace_is_woken_by_its_own_standard(world: World) -> None:
    world.set_standard(60, workspace_id="other")
    world.ticket()
    world.ticket(workspace_id="other")
    world.refresh()

    world.move_clock(at(9, 31))
    assert (world.slow(), world.slow("other")) == (True, False)
    world.move_clock(at(10, 1))
    assert world.slow("other")


def test_of_two_workers_one_marks_the_account(world: World) -> None:
    world.ticket()
    world.refresh()
    world.now = at(9, 31)

    workers = [world.new_worker() for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        marked = list(threads.map(lambda worker: worker.watch_deadlines(), workers))

    assert (sorted(marked), world.marks()) == ([False, True], 1)


def test_a_worker_with_a_slow_clock_wakes_the_account_again(world: World) -> None:
    world.ticket()
    world.refresh()
    world.now = at(9, 30, 1)
    world.worker.watch_deadlines()

    world.now = at(9, 29, 59)  # of the worker that refreshes
    world.refresh()

    assert (world.slow(), world.deadlines()) == (False, [("a1", at(9, 30))])
    assert (world.move_clock(at(9, 30, 1)), world.slow()) == (True, True)


def test_a_silent_source_keeps_its_signals_until_it_returns(world: World) -> None:
    world.ticket()
    world.refresh()
    with transaction(world.sessions) as session:
        session.add(StaleAccount(workspace_id="acme", account_id="a1", key_id="k1"))

    assert (world.move_clock(at(9, 31)), world.slow()) == (True, False)


def test_a_dismissed_playbook_wakes_the_account_when_it_may_be_suggested_again(
    world: World,
) -> None:
    world.ticket()
    with transaction(world.sessions) as session:
        # Dismissed on 16 February at 10:00: not suggested again for 30 days.
        decided_at = datetime(2026, 2, 16, 10, 0, tzinfo=UTC)
        factories.intervention(session, state="dismissed", decided_at=decided_at)
    world.refresh()

    assert world.deadlines("playbook") == [("a1", at(10, 0))]
    assert not world.move_clock(at(9, 29))
    world.move_clock(at(10, 1))
    assert world.deadlines("playbook") == []


@pytest.fixture
def moving(world: World, app: FastAPI, running_app: TestClient) -> TestClient:
    """A client of the world's database, in which the reply to ``a1`` is due at 12:10."""
    with transaction(world.sessions) as session:
        key = factories.api_key(session, factories.workspace(session))
        factories.account(session, "a2")
    attach_test_storage(app, world.sessions)
    world.now = NOW
    world.ticket(opened_at=NOW - timedelta(minutes=20))
    world.refresh()
    assert world.deadlines() == [("a1", at(12, 10))]
    return client_of(running_app, key)


@pytest.mark.parametrize(
    ("verb", "body", "account_id"),
    [("rename", {"account_id": "a9"}, "a9"), ("merge", {"into": "a2"}, "a2")],
)
def test_a_moved_account_is_woken_under_its_new_id(
    world: World, moving: TestClient, verb: str, body: dict[str, str], account_id: str
) -> None:
    move_account(moving, world.sessions, "a1", verb, **body)
    assert world.deadlines() == []
    world.refresh()
    assert world.deadlines() == [(account_id, at(12, 10))]

    assert (world.move_clock(at(12, 11)), world.slow()) == (True, True)


def test_an_erased_account_is_not_woken(world: World, moving: TestClient) -> None:
    erase(moving, world.sessions, "accounts/a1")

    assert (world.deadlines(), world.move_clock(at(12, 11))) == ([], False)
