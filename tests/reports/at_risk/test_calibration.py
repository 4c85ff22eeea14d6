"""What was expected to churn at the beginning of each month, beside what came of it.

NOW is 2026-03-18. The risks of 2025-10-31 end with 2026-01-29; renewals count for 31 more days.
"""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import ChurnRiskHistory
from tests import factories
from tests.conftest import NOW
from tests.reports.kpis.test_revenue import get_report

BEGAN = date(2025, 1, 1)
OCTOBER = date(2025, 10, 31)
NAME = "revenue-at-risk-calibration"


def pays(session: Session, account_id: str, mrr_cents: int, **columns: Any) -> None:  # noqa: ANN401
    defaults: dict[str, Any] = {"starts_on": BEGAN, "known_on": BEGAN, "mrr_cents": mrr_cents}
    factories.subscription(session, account_id, **(defaults | columns))


def risk(
    session: Session,
    account_id: str,
    probability: float | None,
    mrr_cents: int,
    day: date = OCTOBER,
) -> None:
    bounds: dict[str, float | None] = {"probability_low": None, "probability_high": None}
    if probability is not None:
        bounds = {"probability_low": probability / 2, "probability_high": probability * 1.5}
    row: dict[str, Any] = {"status": "ok", "level": "low", "stage": "trusted", "model_version": 1}
    row |= {"horizon_days": 90, "revenue_at_risk_cents": 0, "computed_at": NOW}
    row |= {"details": {"horizon_basis": "subscription"}, "mrr_cents": mrr_cents, "as_of": day}
    row |= {"probability": probability, "risk": probability, **bounds}
    session.add(ChurnRiskHistory(workspace_id="acme", account_id=account_id, **row))


@pytest.fixture
def company(session: Session) -> None:
    """Of 100, 200, 400 and 800 the first churns; the second renews three weeks after its end."""
    factories.workspace(session)
    for account_id in ("left", "renewed", "stays", "late"):
        factories.account(session, account_id)
    left_on = date(2025, 12, 15)
    pays(session, "left", 100_00, ends_on=left_on)
    pays(session, "renewed", 200_00, ends_on=date(2026, 1, 15))
    pays(session, "renewed", 200_00, starts_on=date(2026, 2, 5), known_on=date(2026, 2, 5))
    pays(session, "stays", 400_00)
    pays(session, "late", 800_00)
    pays(session, "late", 800_00, ends_on=left_on, known_on=date(2026, 2, 20))
    risk(session, "left", 0.5, 100_00)
    risk(session, "left", 0.9, 100_00, date(2025, 11, 10))
    risk(session, "left", None, 0, left_on)
    risk(session, "renewed", 0.25, 200_00)
    risk(session, "stays", 0.125, 400_00, date(2025, 10, 3))  # it has not moved since
    risk(session, "late", 0.125, 800_00)
    session.commit()


@pytest.mark.usefixtures("company")
def test_each_month_has_what_was_expected_and_what_came(client: TestClient) -> None:
    """0.5 + 0.25 + 2 x 0.125 = 1, and 50 + 50 + 50 + 100 = 250 of MRR. One of 100 churned.

    What was recorded after the end of the horizon does not count, but for renewals.
    """
    found = get_report(client, NAME, since="2025-10-15")

    november, december, *later = found["months"]
    bounds = [november.pop(name) for name in ("ratio_low", "ratio_high")]
    assert november == {
        "month": "2025-11",
        "outcomes_known_on": "2026-03-01",
        "accounts": 4,
        "expected": 1.0,
        "expected_low": 0.5,
        "expected_high": 1.5,
        "churned": 1,
        "churned_over_expected": 1.0,
        "expected_mrr_cents": 250_00,
        "expected_mrr_low_cents": 125_00,
        "expected_mrr_high_cents": 375_00,
        "churned_mrr_cents": 100_00,
        "churned_mrr_over_expected": 0.4,
    }
    assert bounds == [pytest.approx(0.0253, abs=1e-4), pytest.approx(5.5716, abs=1e-4)]
    assert (december["month"], december["expected"]) == ("2025-12", pytest.approx(1.4))
    assert (december["outcomes_known_on"], december["churned"]) == ("2026-03-31", None)
    assert [each["month"] for each in later] == ["2026-01", "2026-02", "2026-03"]
    assert [each["accounts"] for each in later] == [3, 3, 3], "who has left is expected no more"
    assert (found["churn"]["value"], found["revenue"]["value"]) == (1.0, 0.4)
    assert (found["churn"]["n"], found["churn"]["numerator"]) == (4, 1)
    assert found["revenue"]["denominator"] == 250_00


@pytest.mark.usefixtures("company")
def test_as_of_a_past_day_only_months_that_were_over_have_outcomes(client: TestClient) -> None:
    days = {"since": "2025-10-15", "until": "2026-02-28"}

    found = get_report(client, NAME, **days)

    assert [each["churned"] for each in found["months"]] == [None] * 4
    assert found["churn"]["value"] is None
    until = {**days, "until": "2026-03-01"}
    assert get_report(client, NAME, **until)["months"][0]["churned"] == 1


@pytest.mark.usefixtures("company")
def test_excluded_accounts_do_not_count_and_unknown_prices_only_as_accounts(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "ours", excluded=True)
    factories.account(session, "euros")
    risk(session, "ours", 0.5, 100_00)
    risk(session, "euros", 0.5, 0)
    pays(session, "euros", 100_00, currency="EUR")
    session.commit()

    found = get_report(client, NAME, since="2025-10-15", until="2026-03-01")

    assert (found["months"][0]["accounts"], found["months"][0]["expected"]) == (5, 1.5)
    assert found["months"][0]["expected_mrr_cents"] == 250_00
    assert found["churn"]["exclusions"] == {"excluded": 1, "no_rate": 1}


@pytest.mark.usefixtures("company")
def test_months_are_rows_of_csv(client: TestClient) -> None:
    answer = client.get(f"/api/v1/reports/{NAME}?since=2025-10-15", headers={"Accept": "text/csv"})

    header, *rows = answer.text.splitlines()
    assert "expected_mrr" in header
    assert len(rows) == 5


def test_without_probabilities_there_are_no_months(client: TestClient) -> None:
    found = get_report(client, NAME)

    assert (found["months"], found["churn"]["value"]) == ([], None)
