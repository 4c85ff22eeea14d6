"""Alerts of accounts that are renamed, merged or erased."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.alerts import service
from app.core.db import SessionFactory
from app.tables import AlertState, Change, Message, Workspace
from app.webhooks.outbox import NewMessage, publish
from tests import factories
from tests.alerts.scenario import activate_rule, create_accounts, refresh, sent_types, stored_alerts
from tests.conftest import NOW
from tests.lifecycle.id_changes import erase, move_account

HOUR = timedelta(hours=1)


@pytest.fixture
def client_with_alerts(client: TestClient, session: Session) -> TestClient:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", "a2", score=30)
    refresh(session, "a1", "a2")
    session.execute(update(Workspace).values(swept_on=NOW.date()))
    session.commit()
    return client


def test_a_renamed_account_keeps_its_alert(
    client_with_alerts: TestClient, sessions: SessionFactory, session: Session
) -> None:
    move_account(client_with_alerts, sessions, "a1", "rename", account_id="new")
    session.expire_all()
    refresh(session, "a2", "new", now=NOW + HOUR)

    assert {(each.account_id, each.resolved_at) for each in stored_alerts(session)} == {
        ("new", None),
        ("a2", None),
    }
    assert sent_types(session) == ["alert.opened"] * 2
    by_new_id, by_old_id = (
        client_with_alerts.get("/api/v1/alerts", params={"account_id": key}).json()["items"]
        for key in ("new", "a1")
    )
    assert [each["account_id"] for each in by_new_id] == ["new"]
    assert by_old_id == by_new_id


@pytest.mark.parametrize("path", ["alerts", "messages", "interventions"])
def test_lists_are_filtered_by_the_old_id_too(
    client_with_alerts: TestClient, sessions: SessionFactory, session: Session, path: str
) -> None:
    factories.intervention(session, "a1")
    session.commit()
    move_account(client_with_alerts, sessions, "a1", "rename", account_id="new")

    items = client_with_alerts.get(f"/api/v1/{path}", params={"account_id": "a1"}).json()["items"]

    assert items
    assert {each["account_id"] for each in items} == {"new"}


def test_the_alert_of_a_merged_account_is_resolved_and_announced(
    client_with_alerts: TestClient, sessions: SessionFactory, session: Session
) -> None:
    move_account(client_with_alerts, sessions, "a1", "merge", into="a2")
    session.expire_all()
    service.send_held_notifications(session, now=NOW + HOUR)

    assert sorted((each.account_id, each.resolution or "") for each in stored_alerts(session)) == [
        ("a2", ""),
        ("a2", "merged"),
    ]
    assert sent_types(session) == ["alert.opened", "alert.opened", "alert.resolved"]
    states = session.scalars(select(AlertState.account_id)).all()
    assert states == ["a2"]
    changes = session.scalars(select(Change).where(Change.type == "alert").order_by(Change.number))
    recorded = [(row.account_id, row.data["what"]) for row in changes]
    assert recorded == [("a2", "opened"), ("a2", "opened"), ("a2", "resolved")]


def alert_digest(account_id: str) -> NewMessage:
    data = {"rule": {"id": "low", "name": "low"}, "opened": 51}
    return NewMessage("alert.digested", data | {"accounts": [{"account_id": account_id}]})


def suggestion_digest(account_id: str) -> NewMessage:
    suggestion = {"suggestion_id": "int_1", "playbook": "add_value", "priority": 1}
    data = {"suggested": 51, "playbooks": {}, "accounts": [suggestion | {"account_id": account_id}]}
    return NewMessage("suggestion.digested", data)


@pytest.mark.parametrize("digest_of", [alert_digest, suggestion_digest])
def test_digests_that_name_an_erased_account_are_deleted(
    client_with_alerts: TestClient,
    sessions: SessionFactory,
    session: Session,
    digest_of: Callable[[str], NewMessage],
) -> None:
    digests = [digest_of(name) for name in ("a1", "a2")]
    publish(session, "acme", digests, now=NOW)
    session.commit()

    erase(client_with_alerts, sessions, "accounts/a1")

    remaining = select(Message.body).where(Message.type == digests[0].type)
    [body] = session.scalars(remaining)
    assert b'"a2"' in body
