"""A worked example: six accounts over a quarter."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import ExchangeRate
from tests import factories

SINCE, UNTIL = date(2025, 12, 31), date(2026, 3, 17)


@pytest.fixture
def company(session: Session) -> None:
    """Accounts that paid on SINCE: 100 stays, 200 grows to 300, 400 shrinks to 150, 300 churns."""
    add_subscription(session, "stays", 100_00)
    add_subscription(session, "grows", 200_00, ends_on=date(2026, 2, 1))
    add_subscription(session, "grows", 300_00, starts_on=date(2026, 2, 1))
    add_subscription(session, "shrinks", 400_00, ends_on=date(2026, 1, 15))
    add_subscription(session, "shrinks", 150_00, starts_on=date(2026, 1, 15))
    add_subscription(session, "leaves", 300_00, ends_on=date(2026, 3, 1))
    add_subscription(session, "new", 999_00, starts_on=date(2026, 1, 1))
    add_subscription(session, "ours", 5000_00)
    factories.account(session, "ours", excluded=True)
    add_subscription(session, "yen", 5000_00, currency="JPY")
    session.commit()


def add_subscription(session: Session, account_id: str, cents: int, **columns: Any) -> None:  # noqa: ANN401
    factories.workspace(session)
    columns.setdefault("starts_on", date(2025, 6, 1))
    columns.setdefault("known_on", columns["starts_on"])
    factories.subscription(session, account_id, mrr_cents=cents, **columns)


def get_report(client: TestClient, name: str, **params: Any) -> Any:  # noqa: ANN401
    query = {"since": SINCE.isoformat(), "until": UNTIL.isoformat()} | params
    answer = client.get(f"/api/v1/reports/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("company")
def test_retention_counts_retained_grown_and_lost_revenue(client: TestClient) -> None:
    """Opening 1,000; retained 100 + 200 + 150 + 0; closing 100 + 300 + 150 + 0; 1 of 4 churned."""
    found = get_report(client, "revenue-retention")

    grr, nrr, logos = (
        found[name] for name in ("gross_revenue_retention", "net_revenue_retention", "logo_churn")
    )
    assert (grr["numerator"], grr["denominator"], grr["value"]) == (450_00, 1000_00, 0.45)
    assert (nrr["numerator"], nrr["denominator"], nrr["value"]) == (550_00, 1000_00, 0.55)
    assert (logos["numerator"], logos["denominator"], logos["value"]) == (1, 4, 0.25)
    assert grr["exclusions"] == {"excluded": 1, "no_rate": 1}
    assert (grr["n"], grr["currency"]) == (4, "USD")


@pytest.mark.usefixtures("company")
def test_an_exchange_rate_includes_the_account(client: TestClient, session: Session) -> None:
    rate = ExchangeRate(
        workspace_id="acme", currency="JPY", starts_on=date(2025, 1, 1), rate=Decimal("0.02")
    )
    session.add(rate)
    session.commit()

    found = get_report(client, "revenue-retention")["gross_revenue_retention"]

    assert (found["numerator"], found["denominator"]) == (550_00, 1100_00)
    assert found["exclusions"] == {"excluded": 1, "no_rate": 0}


@pytest.mark.usefixtures("company")
def test_later_facts_do_not_change_a_past_figure(client: TestClient, session: Session) -> None:
    period = {"until": "2026-02-15"}
    before = get_report(client, "revenue-retention", **period)

    ended = {"starts_on": date(2025, 6, 1), "ends_on": date(2026, 2, 10)}
    add_subscription(session, "stays", 100_00, known_on=date(2026, 3, 10), **ended)
    session.commit()

    assert get_report(client, "revenue-retention", **period) == before
    assert get_report(client, "revenue-retention") != before


def test_without_accounts_the_values_are_null(client: TestClient) -> None:
    found = get_report(client, "revenue-retention")

    assert found["gross_revenue_retention"]["value"] is None
    assert found["logo_churn"]["n"] == 0


@pytest.mark.parametrize(
    "days", [{"since": "2026-03-18", "until": "2026-03-17"}, {"until": "2026-03-19"}]
)
def test_future_or_reversed_periods_are_refused(client: TestClient, days: dict[str, str]) -> None:
    answer = client.get("/api/v1/reports/revenue-retention", params=days)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_days")
    assert answer.json()["errors"][0]["pointer"] == "/query/since"


@pytest.mark.usefixtures("company")
def test_cohorts_follow_the_accounts_of_a_start_month(client: TestClient) -> None:
    found = get_report(client, "cohorts", since="2025-06-01")

    june, january = found["cohorts"]
    assert (june["start"], june["size"], january["start"], january["size"]) == (
        *("2025-06-01", 5),
        *("2026-01-01", 1),
    )
    cells = {cell["month"]: (cell["accounts"], cell["mrr_cents"]) for cell in june["cells"]}
    assert cells["2025-06-01"] == (5, 1000_00), "the account that pays in yen has no rate"
    assert cells["2026-01-01"] == (5, 750_00)
    assert cells["2026-03-01"] == (4, 550_00)
    assert june["cells"][-1]["revenue_retention"] == 0.55
    assert [cell["age"] for cell in june["cells"]] == list(range(10))


@pytest.mark.parametrize(
    "report",
    [
        "revenue-retention?until=0001-01-01",
        "cohorts?since=0001-01-01&until=0001-12-31",
    ],
)
def test_the_first_days_of_the_calendar_are_valid(client: TestClient, report: str) -> None:
    assert client.get(f"/api/v1/reports/{report}").status_code == 200
