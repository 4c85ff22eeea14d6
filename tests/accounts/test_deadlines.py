"""Deadlines are stored by refreshes; a passed one marks its account due exactly once."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from app.accounts.deadlines.schedule import DeadlineKind, mark_overdue_accounts_due, schedule
from app.core.db import SessionFactory, transaction
from app.tables import AccountDeadline, Due
from tests import factories
from tests.conftest import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def workspaces(committed: SessionFactory) -> SessionFactory:
    with transaction(committed) as session:
        for workspace_id in ("acme", "other"):
            factories.workspace(session, workspace_id)
    return committed


def store(
    sessions: SessionFactory,
    deadlines: dict[str, datetime | None],
    *,
    workspace_id: str = "acme",
    kind: DeadlineKind = DeadlineKind.REPLY,
) -> None:
    with transaction(sessions) as session:
        schedule(session, workspace_id, kind, deadlines)


def mark(sessions: SessionFactory, now: datetime) -> int:
    with transaction(sessions) as session:
        return mark_overdue_accounts_due(session, now=now)


def due(sessions: SessionFactory) -> list[tuple[str, str]]:
    with transaction(sessions) as session:
        rows = session.execute(select(Due.workspace_id, Due.account_id).order_by(Due.id))
        return [(row[0], row[1]) for row in rows]


def stored(sessions: SessionFactory) -> dict[tuple[str, str], datetime]:
    with transaction(sessions) as session:
        return {(row.account_id, row.kind): row.due_at for row in session.query(AccountDeadline)}


def test_a_deadline_marks_its_account_once_it_has_passed(workspaces: SessionFactory) -> None:
    store(workspaces, {"a1": NOW, "a2": NOW + SECOND, "a3": None})

    assert (mark(workspaces, NOW), due(workspaces)) == (0, [])  # due now is not overdue
    assert mark(workspaces, NOW + SECOND / 2) == 1
    assert mark(workspaces, NOW + SECOND / 2) == 0
    assert due(workspaces) == [("acme", "a1")]
    with transaction(workspaces) as session:
        [row] = session.query(Due)
        assert (row.priority, row.notify, row.used_since) == (0, True, None)
    assert stored(workspaces) == {("a2", "reply"): NOW + SECOND}


def test_the_next_deadline_of_a_kind_replaces_the_last_one(workspaces: SessionFactory) -> None:
    store(workspaces, {"a1": NOW, "a2": NOW})
    store(workspaces, {"a1": NOW}, kind=DeadlineKind.PLAYBOOK)

    store(workspaces, {"a1": NOW + SECOND, "a2": None})

    assert stored(workspaces) == {("a1", "reply"): NOW + SECOND, ("a1", "playbook"): NOW}


def test_two_kinds_mark_an_account_once(workspaces: SessionFactory) -> None:
    store(workspaces, {"a1": NOW})
    store(workspaces, {"a1": NOW}, kind=DeadlineKind.PLAYBOOK)

    assert mark(workspaces, NOW + SECOND) == 2
    assert due(workspaces) == [("acme", "a1")]


def test_a_deadline_belongs_to_one_workspace(workspaces: SessionFactory) -> None:
    store(workspaces, {"a1": NOW})
    store(workspaces, {"a1": NOW + 2 * SECOND}, workspace_id="other")
    store(workspaces, {"a1": None}, workspace_id="other", kind=DeadlineKind.PLAYBOOK)

    mark(workspaces, NOW + SECOND)
    assert due(workspaces) == [("acme", "a1")]

    mark(workspaces, NOW + 3 * SECOND)
    assert due(workspaces) == [("acme", "a1"), ("other", "a1")]


def test_two_workers_mark_an_account_once_and_do_not_wait(workspaces: SessionFactory) -> None:
    store(workspaces, {"a1": NOW})

    with transaction(workspaces) as first, transaction(workspaces) as second:
        second.execute(text("SET LOCAL lock_timeout = '100ms'"))
        assert mark_overdue_accounts_due(first, now=NOW + SECOND) == 1
        assert mark_overdue_accounts_due(second, now=NOW + SECOND) == 0

    assert due(workspaces) == [("acme", "a1")]


def test_a_worker_that_dies_loses_no_deadline(workspaces: SessionFactory) -> None:
    store(workspaces, {"a1": NOW})

    with workspaces() as dying:
        assert mark_overdue_accounts_due(dying, now=NOW + SECOND) == 1
        dying.rollback()  # as the database does when the connection is gone

    assert due(workspaces) == []
    assert mark(workspaces, NOW + SECOND) == 1
    assert due(workspaces) == [("acme", "a1")]


def test_a_refresh_that_replaces_a_deadline_is_not_waited_for(workspaces: SessionFactory) -> None:
    store(workspaces, {"a1": NOW})

    with transaction(workspaces) as refreshing, transaction(workspaces) as worker:
        schedule(refreshing, "acme", DeadlineKind.REPLY, {"a1": NOW + SECOND / 2})
        worker.execute(text("SET LOCAL lock_timeout = '100ms'"))
        assert mark_overdue_accounts_due(worker, now=NOW + SECOND) == 0

    assert mark(workspaces, NOW + SECOND) == 1  # the next look finds the new one


def test_nothing_to_do_is_read_from_an_index(workspaces: SessionFactory) -> None:
    store(workspaces, {f"a{n}": NOW + n * SECOND for n in range(2_000)})

    with transaction(workspaces) as session:
        session.execute(text("ANALYZE account_deadline"))
        plan = session.execute(
            text(
                "EXPLAIN SELECT * FROM account_deadline WHERE due_at < :now"
                " ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED"
            ),
            {"now": NOW},
        )
        assert any("account_deadline_due_at_idx" in row[0] for row in plan)
