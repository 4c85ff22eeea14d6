"""Erasures remove the billing data of users and accounts."""

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.billing.sender import (
    changed_event,
    connect,
    invoice,
    paid_periods,
    sample,
    send_all,
    subscription,
)
from tests.events import calls
from tests.lifecycle.id_changes import columns_mentioning, erase


def test_the_name_and_email_of_a_customer_who_is_the_user_are_removed(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    path = connect(client)
    client.put("/api/v1/accounts/acme", json={"name": "Acme"})
    customer = {"name": "Ada Zz", "email": "Ada@zz.example"}
    send_all(
        client,
        path,
        changed_event(sample("customer"), "evt_c", at=0, verb="updated", **customer),
        subscription(),
    )
    client.put("/api/v1/users/ada", json={"email": "ada@zz.example", "account_id": "acme"})
    before = paid_periods(session)

    erase(client, sessions, "users/ada")

    assert columns_mentioning(session, ["Ada Zz", "Ada@zz.example", "ada@zz.example"]) == set()
    assert paid_periods(session) == before != []
    assert send_all(client, path, subscription("evt_2", at=9)) == ["applied"]
    assert columns_mentioning(session, ["Ada Zz", "Ada@zz.example"]) == set()


def test_the_customer_of_an_erased_account_is_refused_until_another_account_names_it(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, {**sample("customer"), "id": "evt_c"}, subscription(), invoice())
    customer_id = subscription()["data"]["object"]["customer"]

    erase(client, sessions, "accounts/acme")

    for table in ("billing_event", "billing_subscription", "invoice"):
        assert calls.count_rows(session, table) == 0
    customer = calls.one_row(
        session, "SELECT customer_id, account_id, name, email FROM billing_customer"
    )
    assert customer == (customer_id, None, None, None)
    without_account = subscription("evt_2", at=9, metadata={})
    assert send_all(client, path, without_account) == ["erased"]
    assert calls.count_rows(session, "billing_event") == 0

    client.put("/api/v1/accounts/new", json={"external_ids": {"stripe": customer_id}})

    assert send_all(client, path, without_account) == ["applied"]
    assert paid_periods(session, "new") != []
