"""Billing data of accounts that are erased or renamed."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts import aliases, tombstones
from app.billing.queries import erase_account
from tests.billing import sender
from tests.billing.sender import (
    SOURCE_URL,
    connect,
    invoice,
    paid_periods,
    sample,
    send_all,
    subscription,
)
from tests.conftest import NOW
from tests.events.calls import count_rows, table_counts

BILLING_TABLES = ("billing_event", "billing_subscription", "invoice", "billing_customer")


def counts(session: Session) -> list[int]:
    return [count_rows(session, table) for table in BILLING_TABLES]


def test_only_the_customer_id_of_an_erased_account_remains_and_its_events_are_refused(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, {**sample("customer"), "id": "evt_c"}, subscription(), invoice())
    assert counts(session) == [3, 1, 1, 1]

    erase_account(session, "acme", "acme")
    session.commit()

    assert counts(session) == [0, 0, 0, 1]
    assert send_all(client, path, subscription("evt_2", at=9), invoice()) == ["erased"] * 2
    assert counts(session) == [0, 0, 0, 1]
    assert client.get(f"{SOURCE_URL}/unmatched").json()["items"] == []
    assert sender.reconcile(session) == 0


def test_an_event_that_names_an_erased_account_is_refused_and_not_stored(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    key = tombstones.ensure_key(session, "acme")
    tombstones.put(session, "acme", "account", ["acme"], key=key, erasure_id="e1", now=NOW)
    session.commit()
    before = table_counts(session)

    assert send_all(client, path, subscription()) == ["erased"]

    assert counts(session) == [0, 0, 0, 0]
    assert table_counts(session) == before


@pytest.mark.parametrize("name", ["acme", "new"])
def test_an_event_that_names_an_old_id_counts_for_the_current_account(
    client: TestClient, session: Session, name: str
) -> None:
    path = connect(client)
    client.put("/api/v1/accounts/new", json={})
    aliases.put(session, "acme", "acme", "new", now=NOW)
    session.commit()

    send_all(client, path, subscription(metadata={"account_id": name}), invoice())

    assert paid_periods(session, "new") == [("2026-01-01", None, 60_00)]
    assert len(client.get("/api/v1/accounts/acme/invoices").json()["items"]) == 1
