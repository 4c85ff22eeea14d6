"""Invoices: status, failed payments, paging."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import claim_due
from app.billing.queries import load_failed_payments
from tests.billing import sender
from tests.billing.sender import (
    changed_event,
    connect,
    invoice,
    sample,
    seconds,
    send_all,
    subscription,
)
from tests.conftest import NOW

INVOICES = "/api/v1/accounts/acme/invoices"


def invoices(client: TestClient, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    items: list[dict[str, Any]] = client.get(INVOICES, params=params).json()["items"]
    return items


def failed(event_id: str = "evt_f", *, at: int = 1, **fields: object) -> sender.Event:
    return invoice(event_id, at=at, verb="payment_failed", **fields)


@pytest.mark.parametrize("year", ["2022", "2025"])
def test_a_failed_payment_is_returned_with_its_next_attempt(client: TestClient, year: str) -> None:
    path = connect(client)
    send_all(client, path, sample("subscription", year), {**sample("invoice", year), "id": "evt_f"})

    [found] = invoices(client)
    owner = sample("subscription", year)["data"]["object"]["id"]
    assert (found["status"], found["subscription_id"]) == ("open", owner)
    assert (found["amount_due_cents"], found["amount_paid_cents"]) == (60_00, 0)
    assert (found["currency"], found["attempt_count"]) == ("USD", 1)
    assert (found["failed_at"], found["next_attempt_at"]) == (
        "2026-01-01T10:00:00Z",
        "2026-01-04T10:00:00Z",
    )
    assert found["failure_reason"] == "payment_failed"


def test_a_paid_invoice_is_no_failure_in_whatever_order_its_events_arrive(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    paid: dict[str, Any] = {"status": "paid", "amount_paid": 6000, "attempt_count": 2}
    send_all(
        client,
        path,
        subscription(),
        invoice("evt_p", at=4, **paid),
        failed(),
        failed("evt_g", at=3),
    )

    [found] = invoices(client)
    assert (found["status"], found["amount_paid_cents"], found["attempt_count"]) == (
        "paid",
        60_00,
        2,
    )
    assert found["failed_at"] == "2026-01-04T10:00:00Z"
    assert load_failed_payments(session, "acme", ["acme"]) == []


@pytest.mark.parametrize(
    ("verb", "status"), [("voided", "void"), ("marked_uncollectible", "uncollectible")]
)
def test_an_invoice_can_be_voided_or_written_off(
    client: TestClient, session: Session, verb: str, status: str
) -> None:
    path = connect(client)
    send_all(
        client, path, subscription(), failed(), invoice("evt_v", at=9, verb=verb, status=status)
    )

    assert invoices(client)[0]["status"] == status
    assert len(load_failed_payments(session, "acme", ["acme"])) == (status == "uncollectible")


def test_failed_payments_are_summed_by_account_and_currency(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(
        client,
        path,
        subscription(),
        failed("evt_f", at=5),
        failed("evt_g", at=3, id="in_2", amount_paid=1000),
        failed("evt_h", at=3, id="in_3", currency="jpy", amount_due=500),
        invoice("evt_i", id="in_4", verb="finalized"),
    )

    found = load_failed_payments(session, "acme", ["acme", "other"])

    assert [(each.currency, each.invoices, each.amount_due_cents) for each in found] == [
        ("JPY", 1, 500_00),
        ("USD", 2, 110_00),
    ]
    assert found[1].failed_since.day == 4
    assert (
        load_failed_payments(session, "acme", [])
        == load_failed_payments(session, "other", ["acme"])
        == []
    )


def test_the_reason_of_a_failed_payment_is_stored_if_the_event_has_it(client: TestClient) -> None:
    path = connect(client)
    error = {"code": "card_declined", "decline_code": "insufficient_funds", "message": "No."}
    send_all(client, path, subscription(), failed(payment_intent={"last_payment_error": error}))

    assert invoices(client)[0]["failure_reason"] == "insufficient_funds"


def test_invoices_are_listed_newest_first_page_by_page(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, subscription())
    many = [invoice(f"evt_in_{n}", id=f"in_{n}", created=seconds(n // 2)) for n in range(5)]
    send_all(client, path, *many)
    claim_due(session, limit=99)

    first = client.get(INVOICES, params={"limit": 2}).json()
    rest = client.get(INVOICES, params={"cursor": first["next_cursor"]}).json()

    pages = [[item["invoice_id"] for item in page["items"]] for page in (first, rest)]
    assert pages == [["in_4", "in_3"], ["in_2", "in_1", "in_0"]]
    assert rest["next_cursor"] is None


def test_an_invoice_queues_its_account(client: TestClient, session: Session) -> None:
    path = connect(client)
    send_all(client, path, subscription())
    claim_due(session, limit=99)
    session.commit()

    send_all(client, path, failed())

    assert [each.account_id for each in claim_due(session, limit=9)] == ["acme"]


@pytest.mark.parametrize("cursor", ["x", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxIiwieSJd", "WzFd"])
def test_an_invalid_cursor_is_rejected(client: TestClient, cursor: str) -> None:
    client.put("/api/v1/accounts/acme", json={})

    answer = client.get(INVOICES, params={"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (404, "invalid_cursor")


def test_invoices_of_an_unknown_account_are_not_found(client: TestClient) -> None:
    assert client.get(INVOICES).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"status": None}, {"amount_due": "x"}, {"created": None}, {"attempt_count": -1}]
)
def test_an_invalid_invoice_is_rejected(client: TestClient, wrong: dict[str, Any]) -> None:
    path = connect(client)

    answer = sender.send(client, path, changed_event(invoice(), "evt_1", at=1, **wrong), at=NOW)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_event")
