"""Several evaluators at once, and a transaction that is killed halfway."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.alerts import queries
from app.core.db import SessionFactory, transaction
from app.tables import Alert, AlertState
from tests import factories
from tests.alerts.scenario import (
    activate_rule,
    create_accounts,
    refresh,
    sent_types,
    set_score,
    stored_alerts,
)
from tests.conftest import NOW
from tests.lock_waits import wait_until_blocked


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


def test_held_notifications_and_a_refresh_lock_alerts_in_the_same_order(
    committed: SessionFactory,
) -> None:
    with transaction(committed) as session:
        for account_id, rule_key in (("a1", "r2"), ("a2", "r1")):
            factories.account(session, account_id)
            factories.alert(
                session,
                account_id,
                rule_key=rule_key,
                notify_after=NOW.date(),
                last_notified="nothing",
            )

    def lock_held() -> list[str]:
        with transaction(committed) as session:
            alerts = queries.lock_held_alerts(session, "acme", until=NOW.date(), now=NOW)
            return [alert.account_id for alert in alerts]

    with ThreadPoolExecutor(1) as threads, transaction(committed) as refreshing:
        queries.lock_open_alerts(refreshing, "acme", Alert.account_id == "a1")
        held = threads.submit(lock_held)
        wait_until_blocked(refreshing)
        alerts = queries.lock_open_alerts(refreshing, "acme", Alert.account_id.in_(["a1", "a2"]))
        assert [alert.account_id for alert in alerts] == ["a1", "a2"]

    assert held.result() == ["a1", "a2"]
