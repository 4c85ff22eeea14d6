"""What becomes of billed customers whose account is erased or renamed."""

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

BILLED = ("billing_event", "billing_subscription", "invoice", "billing_customer")


def counts(session: Session) -> list[int]:
    return [count_rows(session, table) for table in BILLED]


def test_of_an_erased_account_only_the_customer_s_id_stays_and_turns_away(
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


def test_what_names_an_erased_account_is_turned_away_and_stored_nowhere(
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
def test_what_names_the_old_id_of_an_account_counts_for_the_new_one(
    client: TestClient, session: Session, name: str
) -> None:
    path = connect(client)
    client.put("/api/v1/accounts/new", json={})
    aliases.put(session, "acme", "acme", "new", now=NOW)
    session.commit()

    send_all(client, path, subscription(metadata={"account_id": name}), invoice())

    assert paid_periods(session, "new") == [("2026-01-01", None, 60_00)]
    assert len(client.get("/api/v1/accounts/acme/invoices").json()["items"]) == 1
