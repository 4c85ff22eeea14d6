"""What becomes of alerts when accounts change their ids, or are no more."""

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
def opened(client: TestClient, session: Session) -> TestClient:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", "a2", score=30)
    refresh(session, "a1", "a2")
    session.execute(update(Workspace).values(swept_on=NOW.date()))
    session.commit()
    return client


def test_an_account_that_changes_its_id_keeps_its_alert(
    opened: TestClient, sessions: SessionFactory, session: Session
) -> None:
    move_account(opened, sessions, "a1", "rename", account_id="new")
    session.expire_all()
    refresh(session, "a2", "new", now=NOW + HOUR)

    assert {(each.account_id, each.resolved_at) for each in stored_alerts(session)} == {
        ("new", None),
        ("a2", None),
    }
    assert sent_types(session) == ["alert.opened"] * 2
    of_new, of_old = (
        opened.get("/api/v1/alerts", params={"account_id": key}).json()["items"]
        for key in ("new", "a1")
    )
    assert [each["account_id"] for each in of_new] == ["new"]
    assert of_old == of_new


@pytest.mark.parametrize("path", ["alerts", "messages", "interventions"])
def test_lists_of_an_account_are_found_by_its_old_id(
    opened: TestClient, sessions: SessionFactory, session: Session, path: str
) -> None:
    factories.intervention(session, "a1")
    session.commit()
    move_account(opened, sessions, "a1", "rename", account_id="new")

    found = opened.get(f"/api/v1/{path}", params={"account_id": "a1"}).json()["items"]

    assert found
    assert {each["account_id"] for each in found} == {"new"}


def test_the_alert_of_an_account_that_is_merged_ends_and_that_is_told(
    opened: TestClient, sessions: SessionFactory, session: Session
) -> None:
    move_account(opened, sessions, "a1", "merge", into="a2")
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
    told = [(row.account_id, row.data["what"]) for row in changes]
    assert told == [("a2", "opened"), ("a2", "opened"), ("a2", "resolved")]


def of_alerts(account_id: str) -> NewMessage:
    said = {"rule": {"id": "low", "name": "low"}, "opened": 51}
    return NewMessage("alert.digested", said | {"accounts": [{"account_id": account_id}]})


def of_suggestions(account_id: str) -> NewMessage:
    one = {"suggestion_id": "int_1", "playbook": "add_value", "priority": 1}
    said = {"suggested": 51, "playbooks": {}, "accounts": [one | {"account_id": account_id}]}
    return NewMessage("suggestion.digested", said)


@pytest.mark.parametrize("digest_of", [of_alerts, of_suggestions])
def test_of_an_erased_account_no_digest_tells(
    opened: TestClient,
    sessions: SessionFactory,
    session: Session,
    digest_of: Callable[[str], NewMessage],
) -> None:
    digests = [digest_of(name) for name in ("a1", "a2")]
    publish(session, "acme", digests, now=NOW)
    session.commit()

    erase(opened, sessions, "accounts/a1")

    kept = select(Message.body).where(Message.type == digests[0].kind)
    [body] = session.scalars(kept)
    assert b'"a2"' in body
