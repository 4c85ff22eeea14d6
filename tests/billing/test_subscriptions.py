"""Changes, trials and cancellations of Stripe subscriptions, as known on each day."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.billing.sender import (
    TRIAL,
    canceled,
    connect,
    paid_periods,
    seconds,
    send_all,
    subscription,
)


def known(client: TestClient, *, on: str, known_on: str) -> dict[str, int]:
    answer = client.get("/api/v1/accounts/acme/mrr", params={"on": on, "known_on": known_on})
    found: dict[str, int] = answer.json()["mrr_cents"]
    return found


def test_a_change_of_quantity_price_or_plan_starts_a_period(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    dearer = {"unit_amount": 2500, "unit_amount_decimal": "2500", "lookup_key": "max"}
    send_all(
        client,
        path,
        subscription("evt_1", verb="created"),
        subscription("evt_2", at=10, item={"quantity": 5}),
        subscription("evt_3", at=20, item={"quantity": 5}, price=dearer),
    )

    assert paid_periods(session) == [
        ("2026-01-01", "2026-01-11", 60_00),
        ("2026-01-11", "2026-01-21", 100_00),
        ("2026-01-21", None, 125_00),
    ]
    assert known(client, on="2026-01-15", known_on="2026-01-10") == {"USD": 60_00}
    assert known(client, on="2026-01-15", known_on="2026-01-11") == {"USD": 100_00}


def test_a_renewal_moves_only_the_renewal_day(client: TestClient, session: Session) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_1", verb="created"))
    send_all(client, path, subscription("evt_2", at=31, item={"current_period_end": seconds(59)}))

    assert paid_periods(session) == [("2026-01-01", None, 60_00)]
    [period] = client.get("/api/v1/subscriptions").json()["items"]
    assert period["renewal_on"] == "2026-03-01"


def test_a_cancellation_is_known_from_its_day_and_can_be_revoked(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    details = {"reason": "cancellation_requested", "feedback": "too_expensive", "comment": None}
    send_all(client, path, subscription("evt_1", verb="created"))
    send_all(
        client,
        path,
        subscription("evt_2", at=5, cancel_at_period_end=True, cancellation_details=details),
    )

    assert paid_periods(session) == [("2026-01-01", "2026-02-01", 60_00)]
    params = {"on": "2026-01-10"}
    [period] = client.get("/api/v1/subscriptions", params=params).json()["items"]
    assert (period["end_reason"], period["renewal_on"]) == ("too_expensive", None)
    assert known(client, on="2026-02-10", known_on="2026-01-05") == {"USD": 60_00}
    assert known(client, on="2026-02-10", known_on="2026-01-06") == {}

    send_all(client, path, subscription("evt_3", at=8))
    assert paid_periods(session) == [("2026-01-01", None, 60_00)]

    send_all(client, path, subscription("evt_4", at=9, cancel_at=seconds(70)))
    assert paid_periods(session) == [("2026-01-01", "2026-03-12", 60_00)]


def test_a_canceled_subscription_ends_on_its_day_with_its_reason(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    details = {"reason": "payment_failed", "feedback": None, "comment": None}
    send_all(client, path, subscription("evt_1", verb="created"))
    send_all(client, path, canceled(at=15, cancellation_details=details))

    assert paid_periods(session) == [("2026-01-01", "2026-01-16", 60_00)]
    params = {"on": "2026-01-10"}
    [period] = client.get("/api/v1/subscriptions", params=params).json()["items"]
    assert period["end_reason"] == "payment_failed"


@pytest.mark.parametrize(
    ("status", "pays"),
    [
        ("active", True),
        ("past_due", True),
        ("unpaid", False),
        ("paused", False),
        ("incomplete_expired", False),
    ],
)
def test_a_late_payer_still_pays_and_an_abandoned_one_does_not(
    client: TestClient,
    session: Session,
    status: str,
    pays: bool,  # noqa: FBT001
) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_1", verb="created"))
    send_all(client, path, subscription("evt_2", at=10, status=status))

    assert paid_periods(session) == [("2026-01-01", None if pays else "2026-01-11", 60_00)]


def test_a_paused_subscription_continues_on_the_day_it_is_resumed(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(
        client,
        path,
        subscription("evt_1", verb="created"),
        subscription("evt_2", at=10, verb="paused", status="paused"),
        subscription("evt_3", at=20, verb="resumed"),
    )

    assert paid_periods(session) == [
        ("2026-01-01", "2026-01-11", 60_00),
        ("2026-01-21", None, 60_00),
    ]


@pytest.mark.parametrize(
    ("behavior", "cents"), [("void", 0), ("mark_uncollectible", 0), ("keep_as_draft", 60_00)]
)
def test_a_subscription_that_is_not_collected_costs_nothing(
    client: TestClient, session: Session, behavior: str, cents: int
) -> None:
    path = connect(client)
    send_all(
        client, path, subscription(pause_collection={"behavior": behavior, "resumes_at": None})
    )

    assert paid_periods(session) == [("2026-01-01", None, cents)]


def test_a_trial_costs_nothing_until_it_ends(client: TestClient, session: Session) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_1", verb="created", status="trialing", **TRIAL))
    assert paid_periods(session) == [("2026-01-01", None, 0)]

    send_all(
        client,
        path,
        subscription("evt_2", at=11, verb="trial_will_end", status="trialing", **TRIAL),
    )
    send_all(client, path, subscription("evt_3", at=14, **TRIAL))

    assert paid_periods(session) == [("2026-01-01", "2026-01-15", 0), ("2026-01-15", None, 60_00)]
    account = client.get("/api/v1/accounts/acme").json()
    assert (account["trial_started_on"], account["trial_ends_on"]) == ("2026-01-01", "2026-01-15")


def test_a_subscription_without_its_first_payment_is_not_sold_yet(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_1", verb="created", status="incomplete"))
    assert paid_periods(session) == []

    send_all(client, path, subscription("evt_2"))
    assert paid_periods(session) == [("2026-01-01", None, 60_00)]


def test_a_subscription_that_started_earlier_is_known_from_the_day_of_its_event(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, subscription(at=40, **TRIAL))

    assert paid_periods(session) == [("2026-01-01", "2026-01-15", 0), ("2026-01-15", None, 60_00)]
    assert known(client, on="2026-01-20", known_on="2026-02-09") == {}
    assert known(client, on="2026-01-20", known_on="2026-02-10") == {"USD": 60_00}


def test_the_end_of_an_unknown_subscription_gives_its_paid_period(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, canceled(at=30))

    assert paid_periods(session) == [("2026-01-01", "2026-01-31", 60_00)]


def billing(client: TestClient, on: str, known_on: str) -> tuple[object, ...]:
    params = {"on": on, "known_on": known_on}
    [period] = client.get("/api/v1/subscriptions", params=params).json()["items"]
    names = ("billing_period_months", "term_months", "auto_renews", "discount_share")
    return tuple(period[name] for name in names)


def test_a_subscription_renews_until_its_cancellation_is_known(client: TestClient) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_1", verb="created"))
    send_all(client, path, subscription("evt_2", at=5, cancel_at_period_end=True))

    assert billing(client, "2026-01-10", "2026-01-05") == (1, None, True, 0)
    assert billing(client, "2026-01-10", "2026-01-06") == (1, None, False, 0)

    send_all(client, path, subscription("evt_3", at=8))
    assert billing(client, "2026-01-10", "2026-01-09") == (1, None, True, 0)


@pytest.mark.parametrize(
    ("interval", "count", "months"),
    [("month", 3, 3), ("year", 2, 24), ("week", 4, None), ("day", 30, None), ("year", 11, None)],
)
def test_the_billing_period_is_that_of_the_price(
    client: TestClient, interval: str, count: int, months: int | None
) -> None:
    recurring = {"interval": interval, "interval_count": count, "usage_type": "licensed"}

    send_all(client, connect(client), subscription("evt_1", price={"recurring": recurring}))

    assert billing(client, "2026-01-10", "2026-03-18")[0] == months


def test_the_discount_is_what_recurring_coupons_take_off_the_list_price(
    client: TestClient,
) -> None:
    """The list price is 60: a quarter less is 45, and 6 less is 39. 21 of 60 is 0.35."""
    path = connect(client)
    off = {"quarter": (25, None), "six": (None, 600)}
    coupons = [
        {"id": name, "duration": "forever", "percent_off": percent, "amount_off": amount}
        for name, (percent, amount) in off.items()
    ]
    discounts = [
        {"id": f"di_{each['id']}", "coupon": each, "start": seconds(0), "end": None}
        for each in coupons
    ]
    send_all(client, path, subscription("evt_1", discounts=discounts))

    assert billing(client, "2026-01-10", "2026-03-18") == (1, None, True, 0.35)

    send_all(client, path, subscription("evt_2", at=40, discounts=["di_of_an_unknown_coupon"]))
    assert billing(client, "2026-02-15", "2026-03-18") == (1, None, True, None)
