"""Connecting Stripe: the secret is never returned, and the URL cannot be guessed."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.tables import BillingSource
from tests.billing.sender import (
    SECRET,
    SOURCE_URL,
    connect,
    paid_periods,
    send,
    send_all,
    subscription,
)


def test_the_url_is_returned_and_the_secret_is_not(client: TestClient) -> None:
    put = client.put(SOURCE_URL, json={"signing_secret": SECRET, "plans": {"price_1": "pro"}})
    got = client.get(SOURCE_URL)

    assert put.status_code == got.status_code == 200
    assert put.json() == got.json()
    assert put.json()["url"].startswith("http://testserver/v1/billing/stripe/bs_")
    assert len(put.json()["url"].rpartition("bs_")[2]) >= 32
    assert (got.json()["account_key"], got.json()["last_event_at"]) == ("account_id", None)
    assert SECRET not in put.text + got.text + client.get("/api/v1/audit-entries").text


def test_the_secret_is_encrypted_in_the_database(client: TestClient, session: Session) -> None:
    connect(client)

    [row] = session.query(BillingSource).all()
    assert row.signing_secret is None
    assert SECRET.encode() not in (row.encrypted_secret or b"")


def test_a_secret_stored_as_plain_text_is_encrypted_at_the_next_event(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    session.execute(update(BillingSource).values(signing_secret=SECRET, encrypted_secret=None))

    assert send_all(client, path, subscription()) == ["applied"]

    session.expire_all()
    [row] = session.query(BillingSource).all()
    assert (row.signing_secret, row.encrypted_secret is not None) == (None, True)
    assert send_all(client, path, subscription()) == ["duplicate"]


def test_a_secret_encrypted_with_another_key_is_reported(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    session.execute(update(BillingSource).values(encrypted_secret=b"0" * 40))

    answer = send(client, path, subscription())

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert "another key" in answer.json()["detail"]


def test_a_change_of_options_does_not_change_url_and_secret(client: TestClient) -> None:
    path = connect(client)

    assert connect(client, signing_secret=None, account_key="tenant") == path
    assert send_all(client, path, subscription()) == ["unmatched"]
    assert client.get(SOURCE_URL).json()["last_event_at"] == "2026-03-18T12:00:00Z"


def test_a_new_secret_replaces_the_old_one(client: TestClient) -> None:
    path = connect(client)
    connect(client, signing_secret="whsec_rolled")  # noqa: S106

    assert send(client, path, subscription()).status_code == 400
    assert send(client, path, subscription(), secret="whsec_rolled").status_code == 200  # noqa: S106


def test_the_secret_is_required_the_first_time(client: TestClient) -> None:
    answer = client.put(SOURCE_URL, json={})

    assert (answer.status_code, answer.json()["code"]) == (409, "secret_needed")
    assert client.get(SOURCE_URL).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"signing_secret": "sk_live_not_a_signing_secret"}, "signing_secret"),
        ({"signing_secret": "whsec_"}, "signing_secret"),
        ({"signing_secret": "whsec_\u0000aaaaaaa"}, "signing_secret"),
        ({"account_key": ""}, "account_key"),
        ({"plans": {"price_1": 5}}, "plans/price_1"),
        ({"seat_prices": "all"}, "seat_prices"),
        ({"key": "x"}, "key"),
    ],
)
def test_invalid_options_are_rejected(
    client: TestClient, wrong: dict[str, Any], pointer: str
) -> None:
    answer = client.put(SOURCE_URL, json={"signing_secret": SECRET, **wrong})

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/body/{pointer}"]


def test_a_deleted_source_receives_nothing_and_its_data_remains(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_1"))

    assert client.delete(SOURCE_URL).status_code == 204

    assert send(client, path, subscription("evt_2", at=9)).status_code == 404
    assert client.delete(SOURCE_URL).status_code == client.get(SOURCE_URL).status_code == 404
    assert paid_periods(session) == [("2026-01-01", None, 60_00)]
    again = connect(client)
    assert again != path
    assert send_all(client, again, subscription("evt_1")) == ["duplicate"]


def test_connecting_changing_and_disconnecting_are_audited(client: TestClient) -> None:
    connect(client)
    connect(client, signing_secret=None)
    client.delete(SOURCE_URL)

    entries = client.get("/api/v1/audit-entries").json()["items"]
    assert [entry["action"] for entry in entries][:3] == [
        "billing_source.deleted",
        "billing_source.changed",
        "billing_source.created",
    ]
    assert [entry["details"].get("signing_secret") for entry in entries][1:3] == ["kept", "given"]
