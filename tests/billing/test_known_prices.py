"""Prices are net and never guessed: what an event or invoice leaves open is listed."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.billing import sender
from tests.billing.sender import connect, paid_periods, send_all, subscription

TIERED = {"unit_amount": None, "unit_amount_decimal": None, "tiers_mode": "graduated"}
INCLUSIVE = {"tax_behavior": "inclusive", "unit_amount": 11900, "unit_amount_decimal": "11900"}
VAT = {"id": "txr_1", "percentage": 19.0, "inclusive": True}
ONE = {"quantity": 1}
UNKNOWN = [("2026-01-01", None, 0)]
NET = [("2026-01-01", None, 100_00)]
AUTOMATIC: dict[str, Any] = {"automatic_tax": {"enabled": True}}


def reasons(client: TestClient) -> list[str]:
    items = client.get(f"{sender.SOURCE_URL}/unmatched").json()["items"]
    return [item["reason"] for item in items if item["kind"] == "subscription"]


def line(amount: int, item_id: str = "si_QXhVnC2h0Jczwc", **fields: object) -> dict[str, Any]:
    details = {"subscription_item": item_id, "proration": False}
    return {"amount": amount, "parent": {"subscription_item_details": details}, **fields}


def charged(*lines: dict[str, Any], at: int = 0, has_more: bool = False) -> sender.Event:
    sent = {"object": "list", "data": list(lines), "has_more": has_more}
    return sender.invoice(f"evt_in_{at}", at=at, lines=sent, created=sender.seconds(at))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"default_tax_rates": [VAT]}, NET),
        ({"item": {**ONE, "tax_rates": [VAT]}}, NET),
        ({"default_tax_rates": [{**VAT, "inclusive": False}]}, [("2026-01-01", None, 119_00)]),
        (
            {"item": {**ONE, "tax_rates": [VAT]}, "default_tax_rates": [{**VAT, "percentage": 7}]},
            NET,
        ),
        ({"default_tax_rates": [{**VAT, "percentage": 10}, {**VAT, "percentage": 9}]}, NET),
        ({"automatic_tax": {"enabled": False}}, [("2026-01-01", None, 119_00)]),
    ],
)
def test_a_price_with_inclusive_tax_counts_net(
    client: TestClient, session: Session, changes: dict[str, Any], expected: sender.PaidPeriods
) -> None:
    """119 with 19 % included is 100 net; a rate of the item takes the place of the default."""
    path = connect(client)
    send_all(client, path, subscription(**{"price": INCLUSIVE, "item": ONE, **changes}))

    assert paid_periods(session) == expected
    assert reasons(client) == []


def test_a_discount_comes_off_before_the_tax(client: TestClient, session: Session) -> None:
    """119.00 less 11.90 is 107.10, of which 17.10 are tax: 90 net."""
    path = connect(client)
    coupon = {"id": "c", "duration": "forever", "amount_off": 1190, "currency": "usd"}
    discount = {"id": "di_1", "coupon": coupon, "start": sender.seconds(0), "end": None}
    event = subscription(price=INCLUSIVE, item=ONE, default_tax_rates=[VAT], discounts=[discount])
    send_all(client, path, event)

    assert paid_periods(session) == [("2026-01-01", None, 90_00)]


@pytest.mark.parametrize(
    "tax",
    [
        {"taxes": [{"amount": 1900, "tax_behavior": "inclusive"}]},
        {"tax_amounts": [{"amount": 1900, "inclusive": True}]},
        {
            "taxes": [{"amount": 950, "tax_behavior": "inclusive"}],
            "discount_amounts": [{"amount": 5950, "discount": "di_once"}],
        },
    ],
)
def test_automatic_tax_is_known_from_the_invoice(
    client: TestClient, session: Session, tax: dict[str, Any]
) -> None:
    path = connect(client)
    send_all(client, path, subscription(price=INCLUSIVE, item=ONE, **AUTOMATIC))
    assert (paid_periods(session), reasons(client)) == (UNKNOWN, ["unknown_price"])

    send_all(client, path, charged(line(11900, **tax)))

    assert (paid_periods(session), reasons(client)) == (NET, [])


def test_a_customer_without_tax_pays_the_inclusive_price_that_the_invoice_shows(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    customer = sender.sample("customer")
    exempt = sender.changed_event(customer, "evt_c", at=0, verb="updated", tax_exempt="reverse")
    send_all(client, path, exempt)
    send_all(client, path, subscription(price=INCLUSIVE, item=ONE, default_tax_rates=[VAT]))
    assert (paid_periods(session), reasons(client)) == (UNKNOWN, ["unknown_price"])

    send_all(client, path, charged(line(11900, taxes=[])))

    assert (paid_periods(session), reasons(client)) == ([("2026-01-01", None, 119_00)], [])


def test_tiers_of_an_invoice_with_tax_count_net(client: TestClient, session: Session) -> None:
    path = connect(client)
    taxes = [{"amount": 1900, "tax_behavior": "inclusive"}]
    send_all(client, path, subscription(price=TIERED), charged(line(11900, taxes=taxes)))

    assert paid_periods(session) == NET


def test_an_invoice_with_more_lines_than_its_event_gives_no_price(
    client: TestClient, session: Session
) -> None:
    """The event holds 150 of 400."""
    path = connect(client)
    send_all(client, path, subscription(price=TIERED), charged(line(15000), has_more=True))

    assert (paid_periods(session), reasons(client)) == (UNKNOWN, ["unknown_price"])

    send_all(client, path, charged(line(15000), line(25000), at=31))

    assert paid_periods(session)[-1] == ("2026-02-01", None, 400_00)


def test_a_subscription_with_more_items_than_its_event_has_no_price(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    event = subscription()
    event["data"]["object"]["items"]["has_more"] = True
    send_all(client, path, event)

    assert (paid_periods(session), reasons(client)) == (UNKNOWN, ["too_many_items"])


def test_one_unknown_item_makes_the_whole_price_unknown(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    event = subscription()
    items = event["data"]["object"]["items"]["data"]
    items.append({**items[0], "id": "si_2", "price": {**items[0]["price"], **TIERED, "id": "p2"}})
    send_all(client, path, event)

    assert (paid_periods(session), reasons(client)) == (UNKNOWN, ["unknown_price"])


@pytest.mark.parametrize("names_price", [True, False])
def test_a_monthly_charge_is_not_the_price_of_a_year(
    client: TestClient,
    session: Session,
    names_price: bool,  # noqa: FBT001
) -> None:
    """100 a month, then by the year: 1,000 a year are 83.33 a month, never 100 / 12."""
    path = connect(client)
    year = {"interval": "year", "interval_count": 1, "usage_type": "licensed"}

    def priced(price_id: str) -> dict[str, Any]:
        return {"pricing": {"price_details": {"price": price_id}}} if names_price else {}

    send_all(
        client,
        path,
        subscription("evt_1", price={**TIERED, "id": "month"}),
        charged(line(10000, **priced("month"))),
        subscription("evt_2", at=31, price={**TIERED, "id": "year", "recurring": year}),
    )
    assert paid_periods(session) == [("2026-01-01", "2026-02-01", 100_00), ("2026-02-01", None, 0)]
    assert reasons(client) == ["unknown_price"]

    send_all(client, path, charged(line(100000, **priced("year")), at=31))

    assert paid_periods(session)[-1] == ("2026-02-01", None, 83_33)
    assert reasons(client) == []


def test_a_charge_for_three_units_is_not_the_price_of_five(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(
        client,
        path,
        subscription("evt_1", price=TIERED),
        charged(line(6000)),
        subscription("evt_2", at=10, price=TIERED, item={"quantity": 5}),
        sender.invoice("evt_late", at=12, created=sender.seconds(0)),
    )

    assert paid_periods(session) == [("2026-01-01", "2026-01-11", 60_00), ("2026-01-11", None, 0)]
    assert reasons(client) == ["unknown_price"]
