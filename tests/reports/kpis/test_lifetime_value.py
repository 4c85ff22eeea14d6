"""The lifetime value over the API: calendar months, gaps, renewals, what is left out."""

from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.kpis.test_revenue import add_subscription, get_report


def test_four_accounts_that_paid_for_one_month_are_gone_after_it(
    client: TestClient, session: Session
) -> None:
    """S = 1, 1/5, 1/5: 100 x 1.4. January has 31 days, but is one month."""
    for account_id in ("a", "b", "c", "d"):
        started = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 2, 1)}
        add_subscription(session, account_id, 100_00, **started)
    add_subscription(session, "e", 100_00, starts_on=date(2026, 1, 1))
    session.commit()

    [found] = get_report(client, "lifetime-value", margin=1, months=3)["segments"]

    assert found["survival"] == [1, 0.2, 0.2]
    assert found["clv"]["value"] == pytest.approx(140_00)


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [(date(2023, 6, 1), date(2024, 6, 1)), (date(2024, 2, 29), date(2025, 2, 28))],
)
def test_a_year_with_a_leap_day_is_twelve_months(
    client: TestClient, session: Session, starts_on: date, ends_on: date
) -> None:
    """Of two accounts, one pays for exactly a year: S(11) = 1, S(12) = 1/2."""
    add_subscription(session, "a", 100_00, starts_on=starts_on, ends_on=ends_on)
    add_subscription(session, "b", 100_00, starts_on=date(2023, 1, 1))
    session.commit()

    [found] = get_report(client, "lifetime-value", margin=1, months=14)["segments"]

    assert found["survival"] == [1] * 12 + [0.5] * 2


def test_a_gap_is_not_paid_time(client: TestClient, session: Session) -> None:
    """One account pays in January and in May, then leaves: two months, so S(2) is 1/2."""
    for month in (1, 5):
        paid = {"starts_on": date(2025, month, 1), "ends_on": date(2025, month + 1, 1)}
        add_subscription(session, "a", 100_00, **paid)
    add_subscription(session, "b", 100_00, starts_on=date(2025, 1, 1))
    session.commit()

    [found] = get_report(client, "lifetime-value", margin=1, months=6)["segments"]

    assert found["survival"] == [1, 1, 0.5, 0.5, 0.5, 0.5]


def test_two_subscriptions_at_one_time_are_paid_time_once(
    client: TestClient, session: Session
) -> None:
    """The base runs in January and February, an add-on in February: two months, not three."""
    add_subscription(session, "a", 100_00, starts_on=date(2025, 1, 1), ends_on=date(2025, 3, 1))
    add_on = {"starts_on": date(2025, 2, 1), "ends_on": date(2025, 3, 1)}
    add_subscription(session, "a", 20_00, subscription_id="add-on", **add_on)
    add_subscription(session, "b", 100_00, starts_on=date(2025, 1, 1))
    session.commit()

    [found] = get_report(client, "lifetime-value", margin=1, months=4)["segments"]

    assert found["survival"] == [1, 1, 0.5, 0.5]


def test_each_segment_says_what_it_leaves_out(client: TestClient, session: Session) -> None:
    factories.workspace(session)
    for account_id, segment, currency in (
        ("a", "smb", "USD"),
        ("b", "smb", "EUR"),
        ("c", "large", "USD"),
    ):
        factories.account(session, account_id, segment=segment)
        add_subscription(session, account_id, 100_00, currency=currency)
    session.commit()

    found = get_report(client, "lifetime-value")["segments"]

    assert {each["segment"]: each["clv"]["exclusions"]["no_rate"] for each in found} == {
        "": 1,
        "large": 0,
        "smb": 1,
    }
