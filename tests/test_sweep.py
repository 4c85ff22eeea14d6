"""The daily sweep marks every account due once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from app import pipeline
from app.accounts.refresh_queue import Priority
from app.core.db import SessionFactory, transaction
from app.tables import Account, Due
from tests import factories

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


IDS = [f"a{number}" for number in range(9)]


@pytest.fixture
def queue(committed: SessionFactory) -> SessionFactory:
    """Insert nine accounts, none of them due."""
    with transaction(committed) as session:
        for account_id in IDS:
            factories.account(session, account_id)
    return committed


def due(sessions: SessionFactory) -> list[str]:
    with transaction(sessions) as session:
        return list(session.scalars(select(Due.account_id).order_by(Due.id)))


def sweep(sessions: SessionFactory, today: date) -> int:
    with transaction(sessions) as session:
        return pipeline.sweep(session, today=today)


def test_a_sweep_makes_every_account_due_once_a_day(queue: SessionFactory) -> None:
    with transaction(queue) as session:
        factories.workspace(session, "other")
        factories.account(session, "b1", workspace_id="other")

    assert sweep(queue, NOW.date()) == 2
    assert due(queue) == [*IDS, "b1"]
    assert sweep(queue, NOW.date()) == 0
    assert len(due(queue)) == 10

    assert sweep(queue, NOW.date() + timedelta(days=1)) == 2
    with transaction(queue) as session:
        swept = session.execute(select(Due.priority, Due.notify).distinct()).all()
        assert [tuple(row) for row in swept] == [(Priority.SWEEP, False)]


def test_two_workers_sweep_a_workspace_once(queue: SessionFactory) -> None:
    with transaction(queue) as first:
        assert pipeline.sweep(first, today=NOW.date()) == 1
        with transaction(queue) as second:
            assert pipeline.sweep(second, today=NOW.date()) == 0

    assert len(due(queue)) == len(IDS)


def test_a_sweep_and_new_accounts_do_not_wait_for_each_other(queue: SessionFactory) -> None:
    with transaction(queue) as ingesting:
        factories.account(ingesting, "a91")
        with transaction(queue) as sweeping:
            assert pipeline.sweep(sweeping, today=NOW.date()) == 1
            ingesting.execute(text("SET LOCAL lock_timeout = '100ms'"))
            factories.account(ingesting, "a92")

    with transaction(queue) as session:
        assert session.scalar(select(func.count()).select_from(Account)) == len(IDS) + 2
