"""Several evaluators at once, and a transaction that is killed halfway."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.tables import AlertState
from tests.alerts.scenario import (
    activate_rule,
    create_accounts,
    refresh,
    sent_types,
    set_score,
    stored_alerts,
)
from tests.conftest import NOW


def create_world(sessions: SessionFactory) -> None:
    with transaction(sessions) as session:
        activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
        create_accounts(session, "a1", "a2", score=30)


def test_concurrent_evaluators_open_each_alert_once(committed: SessionFactory) -> None:
    create_world(committed)

    def evaluate(turn: int) -> None:
        with transaction(committed) as session:
            refresh(session, "a1", "a2", now=NOW + timedelta(seconds=turn % 3))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(evaluate, range(18)))

    with transaction(committed) as session:
        assert sent_types(session) == ["alert.opened"] * 2
        assert {alert.account_id for alert in stored_alerts(session)} == {"a1", "a2"}
        states = session.scalars(select(AlertState)).all()
        assert [state.episode for state in states] == [1, 1]


class KilledError(Exception):
    pass


def test_a_killed_transaction_leaves_nothing_and_is_repeated(
    committed: SessionFactory,
) -> None:
    create_world(committed)

    def killed(session: Session) -> None:
        refresh(session, "a1", "a2")
        raise KilledError

    with pytest.raises(KilledError), transaction(committed) as session:
        killed(session)
    with transaction(committed) as session:
        assert (stored_alerts(session), sent_types(session)) == ([], [])
        refresh(session, "a1", "a2")

    with transaction(committed) as session:
        set_score(session, 80, "a1", "a2")
        refresh(session, "a1", "a2", now=NOW + timedelta(hours=1))
        assert sorted(sent_types(session)) == ["alert.opened"] * 2 + ["alert.resolved"] * 2
