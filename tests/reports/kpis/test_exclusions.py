"""Totals leave out accounts whose currency has no rate, and say how many."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import ExchangeRate, HealthHistory
from tests import factories
from tests.conftest import NOW
from tests.portfolio.account_lists import add_scored_account
from tests.reports.kpis.test_feedback import add_feedback
from tests.reports.kpis.test_revenue import add_subscription, get_report


@pytest.fixture
def moved_to_dollars(session: Session) -> None:
    """Both pay 100 from June on: one in dollars, one in euros, for which no rate is known.

    From January on the second pays in dollars too.
    """
    add_subscription(session, "dollars", 100_00)
    add_subscription(session, "euros", 100_00, currency="EUR", ends_on=date(2026, 1, 1))
    add_subscription(session, "euros", 100_00, starts_on=date(2026, 1, 1))
    session.commit()


@pytest.mark.usefixtures("moved_to_dollars")
def test_a_cohort_leaves_the_account_out_of_the_revenue_of_every_month(client: TestClient) -> None:
    found = get_report(client, "cohorts", since="2025-06-01")

    [cohort] = found["cohorts"]
    assert {cell["revenue_retention"] for cell in cohort["cells"]} == {1}
    assert {(cell["accounts"], cell["mrr_cents"]) for cell in cohort["cells"]} == {(2, 100_00)}
    assert cohort["exclusions"] == found["exclusions"] == {"excluded": 0, "no_rate": 1}


@pytest.mark.usefixtures("moved_to_dollars")
def test_retention_and_lifetime_value_leave_it_out(client: TestClient) -> None:
    """NRR would be 200 / 100, if the euros counted as nothing."""
    retention = get_report(client, "revenue-retention")["net_revenue_retention"]
    lifetime = get_report(client, "lifetime-value")["segments"][0]["clv"]

    assert (retention["value"], retention["exclusions"]["no_rate"]) == (1, 1)
    assert (lifetime["n"], lifetime["exclusions"]["no_rate"]) == (1, 1)


def test_feedback_counts_accounts_without_a_rate(client: TestClient, session: Session) -> None:
    """An account that pays 30 dollars and 100 euros has no known MRR: not 30."""
    add_subscription(session, "dollars", 100_00)
    add_subscription(session, "both", 30_00)
    add_subscription(session, "both", 100_00, subscription_id="more", currency="EUR")
    for number, account_id in enumerate(("dollars", "both")):
        add_feedback(session, str(number), account_id)
    session.commit()

    [topic] = get_report(client, "feedback")["topics"]

    assert (topic["mrr_cents"], topic["no_rate"], topic["accounts"]) == (100_00, 1, 2)


def add_history(session: Session, account_id: str, price_status: str, **columns: Any) -> None:  # noqa: ANN401
    factories.account(session, account_id)
    row = {
        "workspace_id": "acme",
        "account_id": account_id,
        "as_of": date(2026, 3, 15),
        "restatement": 0,
        "change": 0,
        "score": 20,
        "band": "at_risk",
        "status": "ok",
        "coverage": 1,
        "mrr_cents": 100_00,
        "details": {"price_status": price_status},
        "computed_at": NOW,
    }
    session.add(HealthHistory(**(row | columns)))


def test_arr_and_bands_leave_accounts_without_a_rate_out(
    client: TestClient, session: Session
) -> None:
    factories.workspace(session)
    add_history(session, "dollars", "priced")
    add_history(session, "euros", "no_rate", mrr_cents=30_00)
    session.commit()

    arr = get_report(client, "arr-at-risk")["arr_at_risk"]
    day = get_report(client, "distribution")["days"][-1]

    assert (arr["numerator"], arr["denominator"]) == (12 * 100_00, 12 * 100_00)
    assert (arr["n"], arr["exclusions"]) == (1, {"excluded": 0, "no_rate": 1})
    assert (day["accounts"], day["exclusions"]) == (2, {"no_rate": 1})
    assert [band["mrr_cents"] for band in day["bands"]] == [100_00]


def test_a_later_restatement_does_not_change_a_past_day(
    client: TestClient, session: Session
) -> None:
    factories.workspace(session)
    add_history(session, "a", "priced")
    session.flush()
    row = session.get_one(HealthHistory, ("acme", "a", date(2026, 3, 15), 0, 0))
    restated = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    session.add(HealthHistory(**(restated | {"restatement": 1, "score": 90, "band": "healthy"})))
    session.commit()

    for until, bands in (("2026-03-17", ["at_risk"]), ("2026-03-18", ["healthy"])):
        day = get_report(client, "distribution", until=until)["days"][-1]
        arr = get_report(client, "arr-at-risk", until=until)["arr_at_risk"]
        assert [band["band"] for band in day["bands"]] == bands
        assert arr["n"] == (bands == ["at_risk"])


def test_the_totals_of_lists_say_what_they_leave_out(client: TestClient, session: Session) -> None:
    """At risk without a probability: 12 x 100 x 0.30 in dollars."""
    for key, cents, price in (("dollars", 100_00, "priced"), ("euros", 30_00, "no_rate")):
        details = {"price_status": price}
        add_scored_account(session, key, mrr_cents=cents, band="at_risk", details=details)
    session.commit()
    everyone = {"name": "All", "filter": {}}

    counted = client.post("/api/v1/accounts/count", json={}).json()
    segment = client.put("/api/v1/segments/all", json=everyone).json()

    at_risk = {"cents": 360_00, "probability_cents": 0, "assumed_cents": 360_00}
    at_risk |= {"probability_low_cents": 0, "probability_high_cents": 0}
    assert counted.pop("revenue_at_risk") == at_risk
    assert counted == {"count": 2, "mrr_cents": 100_00, "exclusions": {"no_rate": 1}}
    assert (segment["mrr_cents"], segment["exclusions"]) == (100_00, {"no_rate": 1})


def test_both_ends_of_retention_use_the_rates_of_the_first_day(
    client: TestClient, session: Session
) -> None:
    """100 euros become 90, and 100 stay 100: 190 / 200, though the euro rose from 1.00 to 1.20."""
    for account_id, later in (("less", 90_00), ("same", 100_00)):
        euros = {"currency": "EUR"}
        add_subscription(session, account_id, 100_00, ends_on=date(2026, 2, 1), **euros)
        add_subscription(session, account_id, later, starts_on=date(2026, 2, 1), **euros)
    for day, rate in ((date(2025, 1, 1), "1"), (date(2026, 1, 15), "1.2")):
        rates = {"workspace_id": "acme", "currency": "EUR", "starts_on": day}
        session.add(ExchangeRate(**rates, rate=Decimal(rate)))
    session.commit()

    found = get_report(client, "revenue-retention")

    assert found["net_revenue_retention"]["value"] == 0.95
    assert found["gross_revenue_retention"]["value"] == 0.95
    assert found["rates_on"] == "2025-12-31"
