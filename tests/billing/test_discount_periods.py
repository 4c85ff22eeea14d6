"""A discount comes off the invoices of its time, so it counts for all that those invoices pay."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.billing import sender
from tests.billing.sender import connect, paid_periods, seconds, send_all, subscription

YEAR = {"interval": "year", "interval_count": 1, "usage_type": "licensed"}


def at(day: str) -> int:
    """Return the seconds since 1970 of a day at the hour at which the sample starts."""
    return int(datetime.fromisoformat(f"{day}T10:00:00").replace(tzinfo=UTC).timestamp())


def half(
    start: str = "2026-01-01", end: str | None = None, duration: str = "repeating"
) -> dict[str, Any]:
    coupon = {"id": "half", "duration": duration, "percent_off": 50, "amount_off": None}
    return {
        "id": "di_half",
        "start": at(start),
        "end": at(end) if end else None,
        "coupon": coupon,
    }


def billed(
    event_id: str = "evt_1",
    *,
    every: dict[str, Any],
    until: str,
    unit: int,
    **fields: Any,  # noqa: ANN401
) -> sender.Event:
    """Make an event of a subscription of one unit, whose paid period ends on a day."""
    return subscription(
        event_id,
        price={"recurring": every, "unit_amount": unit, "unit_amount_decimal": str(unit)},
        item={"quantity": 1, "current_period_end": at(until), "current_period_start": None},
        **fields,
    )


def yearly(event_id: str = "evt_1", **fields: Any) -> sender.Event:  # noqa: ANN401
    return billed(event_id, every=YEAR, until="2027-01-01", unit=1200_00, **fields)


HALF_A_YEAR = [("2026-01-01", "2027-01-01", 50_00), ("2027-01-01", None, 100_00)]


def test_a_yearly_invoice_with_a_discount_of_three_months_is_discounted_for_the_year(
    client: TestClient, session: Session
) -> None:
    """1,200 a year less half is 600, paid on 1 January for 12 months: 50 a month."""
    path = connect(client)
    send_all(client, path, yearly(discounts=[half(end="2026-04-01")]))

    assert paid_periods(session) == HALF_A_YEAR


def test_the_end_of_the_discount_changes_no_invoice_that_was_paid(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    over = sender.changed_event(
        sender.sample("discount"), "evt_2", at=90, verb="deleted", **half(end="2026-04-01")
    )
    send_all(
        client,
        path,
        yearly("evt_1", discounts=[half(end="2026-04-01")]),
        over,
        yearly("evt_3", at=90),
    )

    assert paid_periods(session) == HALF_A_YEAR


def test_a_discount_of_four_months_covers_two_quarterly_invoices(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    quarter = {**YEAR, "interval": "month", "interval_count": 3}
    event = billed(
        every=quarter, until="2026-04-01", unit=300_00, discounts=[half(end="2026-05-01")]
    )
    send_all(client, path, event)

    assert paid_periods(session) == [
        ("2026-01-01", "2026-07-01", 50_00),
        ("2026-07-01", None, 100_00),
    ]


@pytest.mark.parametrize(
    ("discount", "expected"),
    [
        (half("2026-03-02", "2026-06-02"), [("2026-01-01", None, 100_00)]),
        (
            half("2026-03-02", duration="forever"),
            [("2026-01-01", "2027-01-01", 100_00), ("2027-01-01", None, 50_00)],
        ),
    ],
)
def test_a_discount_added_after_an_invoice_counts_from_the_next_one(
    client: TestClient, session: Session, discount: sender.Event, expected: sender.PaidPeriods
) -> None:
    path = connect(client)
    send_all(client, path, yearly("evt_1"), yearly("evt_2", at=60, discounts=[discount]))

    assert paid_periods(session) == expected


def test_a_discount_removed_between_two_monthly_invoices_counts_until_the_second(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    always = half(duration="forever")
    send_all(client, path, subscription("evt_1", discounts=[always]), subscription("evt_2", at=10))

    assert paid_periods(session) == [
        ("2026-01-01", "2026-02-01", 30_00),
        ("2026-02-01", None, 60_00),
    ]


def test_each_item_is_discounted_by_its_own_invoices(client: TestClient, session: Session) -> None:
    """Until 1 April half of 60 + 100; the monthly item then costs 60, the yearly one still 50."""
    path = connect(client)
    event = subscription(discounts=[half(end="2026-04-01")])
    other = yearly()["data"]["object"]["items"]["data"][0]
    event["data"]["object"]["items"]["data"].append({**other, "id": "si_year"})
    send_all(client, path, event)

    assert paid_periods(session) == [
        ("2026-01-01", "2026-04-01", 80_00),
        ("2026-04-01", "2027-01-01", 110_00),
        ("2027-01-01", None, 160_00),
    ]


def test_a_new_discount_in_place_of_an_old_one_never_counts_beside_it(
    client: TestClient, session: Session
) -> None:
    """The second one is given on 11 January: the invoice of 1 February is the first with it."""
    path = connect(client)
    tenth = {**half("2026-01-11", duration="forever"), "id": "di_tenth"}
    tenth["coupon"] = {**tenth["coupon"], "id": "tenth", "percent_off": 10}
    send_all(
        client,
        path,
        subscription("evt_1", discounts=[half(duration="forever")]),
        subscription("evt_2", at=10, discounts=[tenth]),
    )

    assert paid_periods(session) == [
        ("2026-01-01", "2026-02-01", 30_00),
        ("2026-02-01", None, 54_00),
    ]


def test_a_change_to_yearly_invoices_with_the_discount_that_runs_then(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    discount = half(end="2026-04-01")
    changed = billed(
        "evt_2", every=YEAR, until="2027-02-01", unit=1200_00, at=31, discounts=[discount]
    )
    send_all(client, path, subscription("evt_1", discounts=[discount]), changed)

    assert paid_periods(session) == [
        ("2026-01-01", "2026-02-01", 30_00),
        ("2026-02-01", "2027-02-01", 50_00),
        ("2027-02-01", None, 100_00),
    ]


def test_the_first_invoice_after_a_trial_is_discounted(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    trial: dict[str, Any] = {
        "status": "trialing",
        "trial_start": seconds(0),
        "trial_end": seconds(14),
    }
    event = billed(
        every=YEAR, until="2026-01-15", unit=1200_00, discounts=[half(end="2026-04-01")], **trial
    )
    send_all(client, path, event, yearly("evt_2", at=14, discounts=[half(end="2026-04-01")]))

    assert paid_periods(session)[:1] == [("2026-01-01", "2026-01-15", 0)]
    assert paid_periods(session)[1][::2] == ("2026-01-15", 50_00)


def test_an_amount_off_that_is_sent_in_another_currency_is_listed_as_unknown(
    client: TestClient, session: Session
) -> None:
    """Stripe sends 10 USD; what comes off 100 EUR a month is in options that it leaves out."""
    path = connect(client)
    ten = {"id": "ten", "duration": "forever", "percent_off": None}
    coupon = {**ten, "amount_off": 10_00, "currency": "usd"}
    discount = {**half(duration="forever"), "coupon": coupon}
    euros = {"currency": "eur", "unit_amount": 100_00, "unit_amount_decimal": "10000"}
    event = subscription(currency="eur", price=euros, item={"quantity": 1}, discounts=[discount])
    send_all(client, path, event)

    [listed] = client.get(f"{sender.SOURCE_URL}/unmatched").json()["items"]
    assert listed["reason"] == "unknown_discount"
    assert paid_periods(session) == [("2026-01-01", None, 100_00)]
