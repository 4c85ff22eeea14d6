"""Matching Stripe customers to accounts, and customers that are not matched yet."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories
from tests.billing import sender
from tests.billing.sender import (
    SOURCE_URL,
    changed_event,
    connect,
    paid_periods,
    sample,
    send_all,
    subscription,
)

NO_ACCOUNT: dict[str, str] = {}
CUSTOMER = sample("customer")["data"]["object"]["id"]


def unmatched(client: TestClient) -> list[tuple[str, str]]:
    items = client.get(f"{SOURCE_URL}/unmatched").json()["items"]
    return [(item["kind"], item["reason"]) for item in items]


def other_workspace(client: TestClient, session: Session) -> TestClient:
    key = factories.api_key(session, factories.workspace(session, "other"))
    session.commit()
    return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})


def customer(event_id: str = "evt_c", *, at: int = 0, **fields: object) -> sender.Event:
    return changed_event(sample("customer"), event_id, at=at, verb="updated", **fields)


def test_metadata_of_the_subscription_precedes_that_of_the_customer(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, customer(metadata={"account_id": "customers"}))
    send_all(client, path, subscription("evt_1"))

    assert paid_periods(session, "acme") == [("2026-01-01", None, 60_00)]
    assert paid_periods(session, "customers") == []

    send_all(client, path, subscription("evt_2", at=1, metadata=NO_ACCOUNT))
    assert paid_periods(session, "acme") == []
    assert paid_periods(session, "customers") == [("2026-01-01", None, 60_00)]


def test_unmatched_objects_are_visible_only_to_their_workspace(
    client: TestClient, session: Session
) -> None:
    send_all(client, connect(client), subscription(metadata=NO_ACCOUNT), customer())
    other = other_workspace(client, session)
    connect(other)

    assert unmatched(client) == [("customer", "no_account"), ("subscription", "no_account")]
    assert unmatched(other) == []


def test_another_metadata_key_can_name_the_account(client: TestClient, session: Session) -> None:
    path = connect(client, account_key="tenant")

    send_all(client, path, subscription(metadata={"tenant": "t1", "account_id": "acme"}))

    assert paid_periods(session, "t1") == [("2026-01-01", None, 60_00)]


def test_objects_without_an_account_are_listed_as_unmatched(
    client: TestClient, session: Session
) -> None:
    path = connect(client)

    results = send_all(
        client,
        path,
        subscription("evt_1", metadata=NO_ACCOUNT),
        customer(),
        sender.invoice(status="paid"),
    )

    assert results == ["unmatched"] * 3
    assert unmatched(client) == [
        ("customer", "no_account"),
        ("invoice", "no_account"),
        ("subscription", "no_account"),
    ]
    page = client.get(f"{SOURCE_URL}/unmatched", params={"limit": 1}).json()
    assert (page["items"][0]["name"], page["items"][0]["object_id"]) == ("Acme Corp", CUSTOMER)
    rest = client.get(f"{SOURCE_URL}/unmatched", params={"cursor": page["next_cursor"]}).json()
    assert [item["kind"] for item in rest["items"]] == ["invoice", "subscription"]
    assert paid_periods(session) == []


@pytest.mark.parametrize(
    "link",
    [
        customer("evt_link", at=40, metadata={"account_id": "acme"}),
        {**sample("checkout"), "id": "evt_link"},
        subscription("evt_link", at=40),
    ],
    ids=["metadata", "checkout", "subscription"],
)
def test_unmatched_objects_are_matched_when_an_event_names_the_account(
    client: TestClient, session: Session, link: sender.Event
) -> None:
    path = connect(client)
    waiting = (subscription("evt_1", metadata=NO_ACCOUNT), sender.invoice(), customer())
    send_all(client, path, *waiting)

    assert send_all(client, path, link) == ["applied"]

    assert unmatched(client) == []
    assert paid_periods(session) == [("2026-01-01", None, 60_00)]
    assert len(client.get("/api/v1/accounts/acme/invoices").json()["items"]) == 1
    account = client.get("/api/v1/accounts/acme").json()
    assert (account["name"], account["external_ids"]) == ("Acme Corp", {"stripe": CUSTOMER})


def test_an_external_id_matches_earlier_and_later_events(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_1", metadata=NO_ACCOUNT))
    assert sender.reconcile(session) == 0

    client.put("/api/v1/accounts/acme", json={"external_ids": {"stripe": CUSTOMER}})
    assert sender.reconcile(session) == 1
    assert sender.reconcile(session) == 0

    assert paid_periods(session) == [("2026-01-01", None, 60_00)]
    more = subscription("evt_2", at=5, metadata=NO_ACCOUNT, item={"quantity": 4})
    assert send_all(client, path, more) == ["applied"]
    assert paid_periods(session)[-1] == ("2026-01-06", None, 80_00)


def test_an_existing_account_name_is_not_replaced(client: TestClient) -> None:
    path = connect(client)
    client.put("/api/v1/accounts/acme", json={"name": "Our Acme"})

    send_all(client, path, customer(metadata={"account_id": "acme"}))

    assert client.get("/api/v1/accounts/acme").json()["name"] == "Our Acme"


@pytest.mark.parametrize(
    "named", ["", " ", "undefined", "NULL", "[object Object]", "x" * 256, 5, None]
)
def test_a_placeholder_is_no_account(
    client: TestClient,
    named: Any,  # noqa: ANN401
) -> None:
    path = connect(client)

    assert send_all(client, path, subscription(metadata={"account_id": named})) == ["unmatched"]
    assert unmatched(client) == [("customer", "no_account"), ("subscription", "no_account")]


def test_a_checkout_without_a_customer_is_ignored(client: TestClient) -> None:
    path = connect(client)

    assert send_all(
        client, path, changed_event(sample("checkout"), "evt_1", at=0, customer=None)
    ) == ["ignored"]
