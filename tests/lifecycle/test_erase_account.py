"""Nothing is left of an erased account, and other accounts lose nothing."""

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.health.scoring import service as health
from app.tables import AccountActivity
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, identify, track, unattributed
from tests.lifecycle.id_changes import (
    columns_mentioning,
    erase,
    features,
    move_account,
    process_all,
    request_change,
)

GONE = ("zz-acme", "zz-ada", "zz-old")


def create_accounts(client: TestClient, session: Session) -> None:
    """Create two accounts: ada uses one of them, bob both, and one has a child."""
    in_account = {"context": {"groupId": "zz-acme"}}
    calls.ingest(
        client,
        group("g1", "zz-acme", userId="zz-ada", traits={"mrr": 100, "name": "zz-acme"}),
        group("g2", "zz-acme", userId="bob"),
        identify("i1", userId="zz-ada", traits={"email": "zz-ada@example.org"}),
        track("m1", userId="zz-ada", properties={"end_customer_id": "c1"}, **in_account),
        track("m2", userId="zz-ada", context={}),
        track("m3", userId="bob", **in_account),
        track("m4", userId="bob", properties={"color": 1}),
        track("bad", event="", **in_account),
        track("bad2", event="", properties={"to": "zz-ada@example.org"}),
        track("bad3", event=""),
    )
    child = {"parent_id": "zz-acme", "external_ids": {"salesforce": "s1"}}
    assert client.put("/api/v1/accounts/child", json=child).status_code == 200
    body = {"external_ids": {"salesforce": "s2"}}
    assert client.patch("/api/v1/accounts/zz-acme", json=body).status_code == 200
    health.refresh(session, "acme", ["a1", "zz-acme"], as_of=NOW.date(), now=NOW)
    session.commit()


def test_nothing_is_left_of_an_account(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_accounts(client, session)
    others = features(session)

    done = erase(client, sessions, "accounts/zz-acme")

    assert columns_mentioning(session, GONE) == set()
    assert features(session) == others
    assert (done["kind"], done["rows"]["events"]) == ("account", 6)
    assert client.get("/api/v1/accounts/zz-acme").status_code == 404
    assert client.get("/api/v1/accounts/child").json()["parent_id"] is None
    quarantined = calls.text_rows(session, "SELECT message_id FROM quarantined_event")
    assert quarantined == [("bad3",)]


def test_its_users_are_removed_from_the_data_of_other_accounts(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """They may have been the most active users of another account."""
    create_accounts(client, session)
    factories.signal(session, "a1", signal="champion_inactive", evidence={"user_id": "zz-ada"})
    session.add(
        AccountActivity(
            workspace_id="acme",
            account_id="a1",
            through=NOW.date(),
            counted_as="ids",
            activity={"user_id": "zz-ada"},
        )
    )
    session.commit()

    erase(client, sessions, "accounts/zz-acme")

    assert columns_mentioning(session, GONE) == set()
    [[evidence]] = calls.text_rows(session, "SELECT evidence FROM account_signal")
    assert evidence["user_id"].startswith("erased-")


def test_a_user_of_another_account_too_is_detached(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_accounts(client, session)

    erase(client, sessions, "accounts/zz-acme")

    users = calls.text_rows(session, 'SELECT user_id, account_id FROM "user"')
    assert users == [("bob", None)]
    properties = calls.text_rows(session, "SELECT properties FROM event WHERE message_id = 'm4'")
    assert properties == [({"color": 1},)]


def test_the_old_ids_of_an_account_are_erased_with_it(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_accounts(client, session)
    calls.ingest(client, group("o1", "zz-old", userId="zoe", traits={"mrr": 5}))
    move_account(client, sessions, "zz-old", "merge", into="zz-acme")

    erase(client, sessions, "accounts/zz-old")

    assert columns_mentioning(session, GONE) == set()
    for account_id in ("zz-old", "zz-acme"):
        receipt = calls.ingest(client, track("later", context={"groupId": account_id}))
        assert receipt["erased"] == 1
        assert client.put(f"/api/v1/accounts/{account_id}", json={}).json()["code"] == "erased"


def test_users_of_an_erased_account_are_accepted_with_another_account(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_accounts(client, session)
    erase(client, sessions, "accounts/zz-acme")

    refused = calls.ingest(client, unattributed("n1", userId="zz-ada"))
    accepted = calls.ingest(
        client, group("n2", "a1", userId="zz-ada"), unattributed("n3", userId="zz-ada")
    )
    after = calls.ingest(client, unattributed("n4", userId="zz-ada"))

    assert refused["erased"] == 1
    assert (accepted["accepted"], after["accepted"]) == (2, 1)
    assert calls.count_rows(session, "unattributed_event") == 0


def test_an_account_is_not_scored_while_it_is_erased(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_accounts(client, session)
    calls.one_row(session, "SELECT count(*) FROM health_score")

    request_change(client, "DELETE", "accounts/zz-acme")
    due = calls.text_rows(session, "SELECT DISTINCT account_id FROM due")

    assert ("zz-acme",) not in due
    process_all(sessions)
    assert calls.text_rows(session, "SELECT account_id FROM health_score") == [("a1",)]


def test_an_unknown_account_cannot_be_erased(client: TestClient) -> None:
    assert client.delete("/api/v1/accounts/nobody").status_code == 404
