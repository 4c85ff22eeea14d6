"""Prices of Stripe subscriptions: discounts, tiers, several items, other sources."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories
from tests.billing import sender
from tests.billing.sender import connect, paid_periods, seconds, send_all, subscription


def coupon(duration: str, **terms: Any) -> dict[str, Any]:  # noqa: ANN401
    named = {"id": "Z4OV52SU", "object": "coupon", "duration": duration, "amount_off": None}
    return {**named, "currency": None, "percent_off": None, **terms}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (coupon("forever", percent_off=25.5), [("2026-01-01", None, 44_70)]),
        (coupon("forever", amount_off=1000, currency="usd"), [("2026-01-01", None, 50_00)]),
        (coupon("forever", amount_off=1000, currency="eur"), [("2026-01-01", None, 60_00)]),
        (
            coupon("forever", percent_off=50, applies_to={"products": ["another one"]}),
            [("2026-01-01", None, 60_00)],
        ),
        (
            coupon("forever", percent_off=50, applies_to={"products": ["prod_NR5iha61QINOag"]}),
            [("2026-01-01", None, 30_00)],
        ),
        (coupon("once", percent_off=50), [("2026-01-01", None, 60_00)]),
        (
            coupon("repeating", percent_off=50),
            [("2026-01-01", "2026-04-01", 30_00), ("2026-04-01", None, 60_00)],
        ),
    ],
)
def test_recurring_discounts_apply_until_their_end(
    client: TestClient, session: Session, given: dict[str, Any], expected: sender.PaidPeriods
) -> None:
    end = seconds(90) if given["duration"] == "repeating" else None
    path = connect(client)
    send_all(
        client,
        path,
        subscription(year="2022", discount={"id": "di_1", "coupon": given, "end": end}),
    )

    assert paid_periods(session) == expected


def test_a_discount_sent_as_id_is_resolved_by_its_own_event(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    discount, terms = sender.sample("discount"), sender.sample("coupon")
    discount_id = discount["data"]["object"]["id"]
    send_all(client, path, subscription("evt_1", discounts=[discount_id]))
    assert paid_periods(session) == [("2026-01-01", None, 60_00)]
    [item] = client.get(f"{sender.SOURCE_URL}/unmatched").json()["items"]
    assert (item["kind"], item["reason"]) == ("subscription", "unknown_discount")

    send_all(client, path, {**discount, "id": "evt_2"}, {**terms, "id": "evt_3"})
    assert sender.reconcile(session) == 1

    assert paid_periods(session) == [
        ("2026-01-01", "2026-04-01", 44_70),
        ("2026-04-01", None, 60_00),
    ]
    assert client.get(f"{sender.SOURCE_URL}/unmatched").json()["items"] == []


def test_the_customer_s_discount_applies_if_the_subscription_has_none(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    half: dict[str, Any] = {"id": "di_2", "coupon": coupon("forever", percent_off=50), "end": None}
    customer = sender.sample("customer")
    half["start"] = seconds(10)
    send_all(client, path, subscription("evt_1"))
    send_all(
        client, path, sender.changed_event(customer, "evt_2", at=10, verb="updated", discount=half)
    )
    send_all(client, path, sender.changed_event(customer, "evt_3", at=40, verb="updated"))

    assert paid_periods(session) == [
        ("2026-01-01", "2026-02-01", 60_00),
        ("2026-02-01", "2026-03-01", 30_00),
        ("2026-03-01", None, 60_00),
    ]


def test_the_price_of_tiers_is_taken_from_the_invoice(client: TestClient, session: Session) -> None:
    path = connect(client)
    tiered = {"unit_amount": None, "unit_amount_decimal": None, "tiers_mode": "graduated"}
    send_all(client, path, subscription(price=tiered))
    assert paid_periods(session) == [("2026-01-01", None, 0)]
    [item] = client.get(f"{sender.SOURCE_URL}/unmatched").json()["items"]
    assert (item["reason"], item["account_id"]) == ("unknown_price", "acme")

    send_all(client, path, sender.invoice(at=0, status="paid"))

    assert paid_periods(session) == [("2026-01-01", None, 60_00)]


def test_items_add_up_and_mapped_prices_give_plan_and_seats(
    client: TestClient,
) -> None:
    path = connect(client, plans={"prod_base": "max"}, seat_prices=["seat"])
    event = subscription(price={"lookup_key": "seat"}, item={"quantity": 7})
    items = event["data"]["object"]["items"]
    [seats] = items["data"]
    base = {**seats, "id": "si_base", "quantity": 1}
    base["price"] = {**seats["price"], "id": "p2", "product": "prod_base", "lookup_key": None}
    send_all(
        client,
        path,
        {
            **event,
            "data": {
                "object": {**event["data"]["object"], "items": {**items, "data": [seats, base]}}
            },
        },
    )

    [period] = client.get("/api/v1/subscriptions").json()["items"]
    assert (period["plan"], period["seats"], period["mrr_cents"]) == ("max", 7, 160_00)


def test_a_changed_plan_mapping_applies_to_earlier_events(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, subscription())

    connect(client, plans={"pro_monthly": "gold"}, signing_secret=None)
    assert sender.reconcile(session) == 1
    assert sender.reconcile(session) == 0

    [period] = client.get("/api/v1/subscriptions").json()["items"]
    assert period["plan"] == "gold"


def test_prices_of_group_calls_are_ignored_once_stripe_is_connected(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "acme")
    session.commit()
    call = {"type": "group", "groupId": "acme", "userId": "ada", "traits": {"mrr": 10}}
    timed = {**call, "timestamp": "2026-03-01T00:00:00Z"}
    client.post("/v1/batch", json={"batch": [{**timed, "messageId": "g1"}]})
    path = connect(client)

    send_all(client, path, subscription())
    answer = client.post("/v1/batch", json={"batch": [{**timed, "messageId": "g2"}]}).json()

    assert paid_periods(session) == [("2026-01-01", None, 60_00)]
    assert answer["events"][0]["warnings"] == ["mrr_ignored"]


def test_a_deleted_customer_pays_no_longer(client: TestClient, session: Session) -> None:
    path = connect(client)
    gone = sender.changed_event(
        sender.sample("customer"), "evt_2", at=20, verb="deleted", deleted=True
    )
    send_all(client, path, subscription("evt_1"), gone)

    assert paid_periods(session) == [("2026-01-01", "2026-01-21", 60_00)]
