"""Unusual contracts and periods, each with a figure worked out by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.dialects.postgresql.ranges import MultiRange, Range
from sqlalchemy.orm import Session

from app.tables import ExchangeRate, ProductFeature
from tests import factories
from tests.reports.kpis.test_kpis import ORDER, answer, buy, order
from tests.reports.kpis.test_revenue import add_subscription, get_report


def retention(client: TestClient, **period: str) -> tuple[Any, Any, Any]:
    found = get_report(client, "revenue-retention", **period)
    names = ("gross_revenue_retention", "net_revenue_retention", "logo_churn")
    return tuple(found[name]["value"] for name in names)


def test_one_day_is_a_period(client: TestClient, session: Session) -> None:
    """On one day nothing changes: GRR and NRR 1, churn 0; and what starts on it is in it."""
    add_subscription(session, "a", 100_00)
    add_subscription(session, "new", 50_00, starts_on=date(2026, 3, 1))
    factories.account(session, "new", started_on=date(2026, 3, 1))
    buy(session, "new", "2026-03-01")
    for user in ("u", "v", "w"):
        answer(
            session,
            user,
            10,
            at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC),
            known_on=date(2026, 3, 1),
        )
    session.commit()
    day = {"since": "2026-03-01", "until": "2026-03-01"}

    assert retention(client, **day) == (1, 1, 0)
    assert get_report(client, "nps", **day)["value"] == 100
    first = get_report(client, "time-to-first-value", events=ORDER, **day)
    assert (first["value"], first["n"]) == (0, 1)
    [cohort] = get_report(client, "cohorts", **day)["cohorts"]
    assert (cohort["start"], cohort["size"]) == ("2026-03-01", 1)
    causes = get_report(client, "churn-causes", **day)
    assert (causes["left"]["numerator"], causes["left"]["denominator"]) == (0, 2)


def test_an_account_counts_on_the_last_day_of_a_period_if_it_starts_on_it(
    client: TestClient, session: Session
) -> None:
    add_subscription(session, "a", 100_00)
    add_subscription(session, "new", 50_00, starts_on=date(2026, 3, 17))
    session.commit()

    causes = get_report(client, "churn-causes")
    lifetime = get_report(client, "lifetime-value", months=1, margin=1)["segments"][0]

    assert causes["left"]["denominator"] == 2
    assert (lifetime["paying"], lifetime["clv"]["value"]) == (2, 75_00)


def test_a_price_of_zero_is_no_payment(client: TestClient, session: Session) -> None:
    """Opening 100 (the free one does not count); it turns free: GRR 0, churn 1 of 1."""
    add_subscription(session, "free", 0)
    add_subscription(session, "turns-free", 100_00, ends_on=date(2026, 2, 1))
    add_subscription(session, "turns-free", 0, starts_on=date(2026, 2, 1))
    add_subscription(session, "turns-paid", 0, ends_on=date(2026, 2, 1))
    add_subscription(session, "turns-paid", 70_00, starts_on=date(2026, 2, 1))
    session.commit()

    assert retention(client) == (0, 0, 1)
    lifetime = get_report(client, "lifetime-value", months=2, margin=1)["segments"][0]
    assert (lifetime["paying"], lifetime["ended"], lifetime["monthly_cents"]) == (1, 1, 70_00)
    cohorts = get_report(client, "cohorts", since="2025-06-01")["cohorts"]
    assert {cohort["start"]: cohort["size"] for cohort in cohorts} == {
        "2025-06-01": 1,
        "2026-02-01": 1,
    }


def test_a_free_price_in_a_currency_without_a_rate_is_zero(
    client: TestClient, session: Session
) -> None:
    add_subscription(session, "both", 100_00)
    add_subscription(session, "both", 0, subscription_id="free", currency="EUR")
    session.commit()

    assert retention(client) == (1, 1, 0)
    found = get_report(client, "cohorts", since="2025-06-01")
    assert found["exclusions"] == {"excluded": 0, "no_rate": 0}


def test_a_change_of_currency_is_neither_growth_nor_loss(
    client: TestClient, session: Session
) -> None:
    """100 euros at 1.10 become 110 dollars: both ends are 110 at the rate of the first day."""
    add_subscription(session, "a", 100_00, currency="EUR", ends_on=date(2026, 2, 1))
    add_subscription(session, "a", 110_00, starts_on=date(2026, 2, 1))
    for day, rate in ((date(2025, 1, 1), "1.1"), (date(2026, 1, 15), "2")):
        row = {"workspace_id": "acme", "currency": "EUR", "starts_on": day}
        session.add(ExchangeRate(**row, rate=Decimal(rate)))
    session.commit()

    assert retention(client) == (1, 1, 0)
    [cohort] = get_report(client, "cohorts", since="2025-06-01")["cohorts"]
    assert {cell["revenue_retention"] for cell in cohort["cells"]} == {1}


def test_a_gap_longer_than_the_grace_is_churn_and_return(
    client: TestClient, session: Session
) -> None:
    """Paid to 1 January and again from 1 March: gone on 1 February, there on 17 March."""
    add_subscription(session, "a", 100_00, ends_on=date(2026, 1, 1))
    add_subscription(session, "a", 80_00, starts_on=date(2026, 3, 1))
    session.commit()

    assert retention(client, until="2026-02-15") == (0, 0, 1)
    assert retention(client) == (0.8, 0.8, 0)


@pytest.mark.parametrize("year", [2024, 2025])
def test_a_contract_of_one_year_from_the_end_of_february_pays_twelve_months(
    client: TestClient, session: Session, year: int
) -> None:
    """29 February 2024 to 28 February 2025, and 28 February 2025 to 2026: S(11) 1, S(12) 1/2."""
    start = date(year, 2, 29 if year == 2024 else 28)
    end = date(year + 1, 2, 28)
    add_subscription(session, "a", 100_00, starts_on=start, ends_on=end)
    add_subscription(session, "b", 100_00, starts_on=date(2022, 1, 1))
    session.commit()

    [found] = get_report(client, "lifetime-value", margin=1, months=13)["segments"]

    assert found["survival"] == [1] * 12 + [0.5]


def test_purchases_of_the_29th_of_february_are_in_the_month_of_their_day(
    client: TestClient, session: Session
) -> None:
    """First on 31 January 2024. Month 1: 29 February to 30 March; month 2: from 31 March."""
    factories.workspace(session)
    for day, amount in (("2024-01-31", 10), ("2024-02-29", 20), ("2024-03-31", 5)):
        order(session, "a", day, amount)
    session.commit()

    found = get_report(client, "purchase-value", since="2024-01-01", months=3, margin=1)

    assert [month["amount"] for month in found["months"]] == [10, 20, 5]
    assert found["clv"]["value"] == 35


@pytest.mark.parametrize(("months", "value"), [(1, 6), (60, None)])
def test_a_refund_is_a_negative_amount(
    client: TestClient, session: Session, months: int, value: float | None
) -> None:
    """10 - 4 in the first month. Nobody was observed for 60 months: unknown."""
    factories.workspace(session)
    order(session, "a", "2026-01-01", 10)
    order(session, "a", "2026-01-09", -4)
    session.commit()

    found = get_report(client, "purchase-value", months=months, margin=1)

    assert found["clv"]["value"] == value
    assert (found["months"][0]["amount"], found["months"][0]["active"]) == (6, 1)


@pytest.mark.parametrize("months", [1, 60])
def test_the_horizon_may_be_one_month_or_sixty(
    client: TestClient, session: Session, months: int
) -> None:
    """One of two leaves after 2 months: S = 1, 1, 1/2 …: 100 x 1, or 100 x (2 + 58 / 2) = 3,100."""
    two_months = {"starts_on": date(2025, 6, 1), "ends_on": date(2025, 8, 1)}
    add_subscription(session, "a", 100_00, **two_months)
    add_subscription(session, "b", 100_00)
    session.commit()

    [found] = get_report(client, "lifetime-value", margin=1, months=months)["segments"]

    assert found["clv"]["value"] == {1: 100_00, 60: 3100_00}[months]
    assert len(found["survival"]) == months


def test_accounts_of_later_count_in_no_earlier_period(client: TestClient, session: Session) -> None:
    later = date(2026, 3, 10)
    add_subscription(session, "later", 100_00, starts_on=later)
    factories.account(session, "later", started_on=later)
    buy(session, "later", "2026-03-10")
    order(session, "later", "2026-03-10", 10)
    session.commit()
    before = {"until": "2026-03-09"}

    assert retention(client, **before) == (None, None, None)
    assert get_report(client, "lifetime-value", **before)["segments"][0]["clv"]["n"] == 0
    assert get_report(client, "cohorts", **before)["cohorts"] == []
    for name in ("repurchase-rate", "time-to-first-value", "nps"):
        assert get_report(client, name, **before)["n"] == 0
    assert get_report(client, "purchase-value", **before)["clv"]["n"] == 0
    assert get_report(client, "churn-causes", **before)["left"]["n"] == 0


def test_a_trial_is_no_payment_and_ends_with_the_first_price(
    client: TestClient, session: Session
) -> None:
    """A trial of December that pays from 15 January: not there on 31 December, a new one later."""
    factories.account(
        session,
        "trial",
        trial_started_on=date(2025, 12, 15),
        trial_ends_on=date(2026, 1, 15),
        started_on=date(2025, 12, 15),
    )
    add_subscription(
        session, "trial", 100_00, starts_on=date(2026, 1, 15), ends_on=date(2026, 1, 20)
    )
    session.commit()

    assert retention(client) == (None, None, None)
    [cohort] = get_report(client, "cohorts")["cohorts"]
    assert cohort["start"] == "2026-01-01"
    causes = get_report(client, "churn-causes")
    assert causes["median_days"]["value"] == 36, "15 December to 20 January"


def test_parents_and_children_are_accounts_of_their_own(
    client: TestClient, session: Session
) -> None:
    """The parent pays 100 and stays, the child pays 50 and leaves: 100 / 150, one of two."""
    factories.account(session, "parent")
    factories.account(session, "child", parent_id="parent")
    add_subscription(session, "parent", 100_00)
    add_subscription(session, "child", 50_00, ends_on=date(2026, 2, 1))
    session.commit()

    assert retention(client) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 0.5)


def test_a_cohort_of_excluded_accounts_alone_is_counted_in_the_exclusions(
    client: TestClient, session: Session
) -> None:
    add_subscription(session, "a", 100_00, starts_on=date(2026, 1, 5))
    add_subscription(session, "ours", 50_00, starts_on=date(2026, 2, 5))
    factories.account(session, "ours", excluded=True)
    session.commit()

    found = get_report(client, "cohorts")

    assert [cohort["start"] for cohort in found["cohorts"]] == ["2026-01-01"]
    assert found["exclusions"] == {"excluded": 1, "no_rate": 0}


def test_values_of_a_lifetime_name_no_first_day(client: TestClient, session: Session) -> None:
    """Both count what was before the period: an account of 2025 and its purchase."""
    add_subscription(session, "a", 100_00)
    order(session, "a", "2025-06-01", 10)
    session.commit()

    lifetime = get_report(client, "lifetime-value")["segments"][0]["clv"]
    purchases = get_report(client, "purchase-value", months=1)["clv"]

    assert (lifetime["n"], lifetime["since"]) == (1, None)
    assert (purchases["n"], purchases["since"]) == (1, None)


def test_an_account_that_was_excluded_for_a_time_counts_by_the_day_of_the_report(
    client: TestClient, session: Session
) -> None:
    """Excluded from 10 January to 9 February: left out on 1 February, there on 17 March."""
    add_subscription(session, "a", 100_00)
    add_subscription(session, "b", 300_00, ends_on=date(2026, 1, 20))
    row = factories.account(session, "b")
    row.excluded_days = MultiRange([Range(date(2026, 1, 10), date(2026, 2, 10))])
    session.commit()

    assert retention(client, until="2026-02-01") == (1, 1, 0)
    assert retention(client) == (0.25, 0.25, 0.5)


def test_an_account_that_starts_on_the_last_day_has_no_day_without_use(
    client: TestClient, session: Session
) -> None:
    """76 days of one account, from 31 December to 16 March; the new one has none yet."""
    add_subscription(session, "a", 100_00)
    add_subscription(session, "new", 50_00, starts_on=date(2026, 3, 17))
    session.add(ProductFeature(workspace_id="acme", key="x", name="X", event_names=["X"]))
    session.commit()

    [finding] = get_report(client, "churn-causes")["findings"]

    assert (finding["n"], finding["held"]["paid_days"]) == (1, 76)
