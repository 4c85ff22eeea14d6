"""The endpoint that Stripe calls: signature, invalid bodies, repeated events."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.billing import sender
from tests.billing.sender import connect, send, send_all, subscription
from tests.conftest import NOW
from tests.events.calls import table_counts


@pytest.mark.parametrize("year", ["2022", "2025"])
def test_a_subscription_of_either_api_version_becomes_a_period(
    client: TestClient, session: Session, year: str
) -> None:
    path = connect(client)

    assert send_all(client, path, sender.sample("subscription", year)) == ["applied"]

    assert sender.paid_periods(session) == [("2026-01-01", None, 60_00)]
    [period] = client.get("/api/v1/subscriptions").json()["items"]
    assert (period["plan"], period["seats"], period["source"]) == ("pro_monthly", 3, "stripe")
    assert (period["renewal_on"], period["currency"]) == ("2026-02-01", "USD")
    assert period["known_on"] == "2026-01-01"


def test_the_same_event_again_changes_nothing(client: TestClient, session: Session) -> None:
    path = connect(client)
    send_all(client, path, subscription())
    before = table_counts(session)

    assert send_all(client, path, subscription(), subscription()) == ["duplicate"] * 2

    assert table_counts(session) == before


def test_an_unsigned_event_is_rejected_and_not_stored(client: TestClient, session: Session) -> None:
    path = connect(client)

    for answer in (
        client.post(path, json=subscription()),
        client.post(path, json=subscription(), headers={"Stripe-Signature": "t=1,v1=00"}),
        send(client, path, subscription(), secret="whsec_of_another"),  # noqa: S106
        send(client, path, subscription(), at=NOW - timedelta(minutes=6)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert sender.paid_periods(session) == []


def test_an_unknown_source_is_not_found(client: TestClient) -> None:
    connect(client)

    answer = send(client, "/v1/billing/stripe/bs_guessed", subscription())

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "not_an_object"),
        (b"{}", "invalid_event"),
        (b'{"id": 1, "type": "invoice.paid"}', "invalid_event"),
        (b'{"id": "evt_1"}', "invalid_event"),
        (b'{"id": "evt_1", "type": "invoice.paid"}', "invalid_event"),
        (b'{"id": "evt_1", "type": "invoice.paid", "created": 1, "data": []}', "invalid_event"),
        (b'\xff{"id": "evt_1"}', "invalid_json"),
    ],
)
def test_a_signed_body_that_is_not_an_event_is_rejected(
    client: TestClient, body: bytes, code: str
) -> None:
    path = connect(client)

    answer = client.post(path, content=body, headers={"Stripe-Signature": sender.signature(body)})

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"customer": None}, "customer"),
        ({"status": 5}, "status"),
        ({"currency": "dollars"}, "currency"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": 10**18}, "start_date"),
        ({"cancel_at": True}, "cancel_at"),
        ({"item": {"quantity": -1}}, "quantity"),
        ({"item": {"quantity": "three"}}, "quantity"),
        ({"item": {"id": None}}, "id"),
        ({"price": {"unit_amount_decimal": "12,5"}}, "unit_amount_decimal"),
        ({"price": {"unit_amount_decimal": "1e999999"}}, "unit_amount_decimal"),
        ({"price": {"unit_amount": True, "unit_amount_decimal": None}}, "unit_amount"),
        ({"price": {"recurring": {"interval": "decade"}}}, "interval"),
    ],
)
def test_an_invalid_field_is_named_and_nothing_is_stored(
    client: TestClient, session: Session, changes: dict[str, Any], pointer: str
) -> None:
    path = connect(client)
    before = table_counts(session)

    answer = send(client, path, subscription(**changes))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_event")
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/data/object/{pointer}"]
    assert table_counts(session) == before


def test_events_of_other_types_are_accepted_and_ignored(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    before = table_counts(session)
    events = [
        {"id": f"evt_{n}", "type": name, "created": 1, "data": {"object": {"id": "x"}}}
        for n, name in enumerate(("charge.refunded", "payout.paid", "customer.source.created", "x"))
    ]

    assert send_all(client, path, *events) == ["ignored"] * 4
    assert table_counts(session) == before


def test_nul_characters_are_removed(client: TestClient, session: Session) -> None:
    path = connect(client)
    named = {"account_id": "ac\x00me", "note\x00": "\x00"}

    assert send_all(client, path, subscription(metadata=named)) == ["applied"]
    assert sender.paid_periods(session) == [("2026-01-01", None, 60_00)]


def test_a_body_over_one_mebibyte_is_rejected(client: TestClient) -> None:
    path = connect(client)
    body = orjson.dumps({**subscription(), "padding": "x" * 1024 * 1024})

    answer = client.post(path, content=body, headers={"Stripe-Signature": sender.signature(body)})

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
