"""Amounts in units of the currency, with the currency beside; rows of reports."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.http.csv_tables import find_columns, find_table
from app.reports.kpi import Kpi
from tests import factories
from tests.conftest import shared_app
from tests.portfolio.account_lists import ACCOUNTS, add_scored_account
from tests.reports.kpis.test_revenue import add_subscription

CSV = {"Accept": "text/csv"}
REPORTS = "/api/v1/reports"


def read(client: TestClient, path: str, **params: Any) -> list[dict[str, str]]:  # noqa: ANN401
    answer = client.get(path, params=params, headers=CSV)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def models() -> Iterator[Any]:
    for context in iter_route_contexts(shared_app().routes):
        yield getattr(context.original_route, "response_model", None)


def test_no_two_columns_of_an_answer_have_one_name() -> None:
    for columns in map(find_columns, models()):
        assert len(columns) == len(set(columns)), columns


def test_every_amount_has_units_and_a_currency() -> None:
    tables = [table for model in models() if (table := find_table(model))]
    amounts = [(table, each) for table in tables for each in table.columns if "cents" in each]

    assert len(amounts) > 30
    for table, column in amounts:
        assert table.amounts[column] in table.columns
        assert "currency" in table.columns


def test_amounts_are_in_units_of_the_currency(client: TestClient, session: Session) -> None:
    """49,905 cents are 499.05; a mean price of 49,912.5 cents is 499.12 (half to even).

    The account of 5 cents without a score row of a currency is in the workspace's base currency.
    """
    details = {"currency": "EUR", "price_cents": 49912.5}
    add_scored_account(session, "a", mrr_cents=49905, details=details)
    add_scored_account(session, "b", mrr_cents=5)

    a, b = read(client, ACCOUNTS)
    item = client.get(ACCOUNTS).json()["items"][1]

    assert (a["mrr_cents"], a["mrr"], a["currency"]) == ("49905", "499.05", "EUR")
    assert (a["price_cents"], a["price"], a["value_leak"]) == ("49912.5", "499.12", "")
    assert (b["mrr_cents"], b["mrr"], b["currency"]) == ("5", "0.05", "USD")
    assert "mrr" not in item
    assert item["currency"] is None, "JSON is as it was"


@pytest.mark.parametrize(
    ("cents", "units"), [(0, "0.00"), (-150, "-1.50"), (10**16 + 1, "100000000000000.01")]
)
def test_no_cent_is_lost(client: TestClient, session: Session, cents: int, units: str) -> None:
    add_scored_account(session, "a", mrr_cents=cents)

    assert read(client, ACCOUNTS)[0]["mrr"] == units


def test_an_amount_is_in_the_currency_of_its_own_row(client: TestClient, session: Session) -> None:
    factories.account(session, "a1")
    period = {"account_id": "a1", "mrr_cents": 12345, "currency": "JPY", "starts_on": "2026-01-01"}
    assert client.put("/api/v1/subscriptions/main", json=period).status_code in {200, 201}

    [row] = read(client, "/api/v1/subscriptions", account_id="a1")

    assert (row["mrr_cents"], row["mrr"], row["currency"]) == ("12345", "123.45", "JPY")


def test_a_kpi_is_one_row_with_money_in_units(client: TestClient, session: Session) -> None:
    """Two pay 100.00 a month, margin 1, 2 months, nobody left: 2 x 100.00 = 200.00."""
    for key in ("a", "b"):
        factories.account(session, key)
        add_subscription(session, key, 100_00, starts_on=date(2025, 1, 1))

    report = client.get(f"{REPORTS}/lifetime-value", params={"margin": 1, "months": 2}).json()
    rows = read(client, f"{REPORTS}/lifetime-value", margin=1, months=2)
    [nps] = read(client, f"{REPORTS}/nps")

    assert report["segments"][0]["clv"]["value"] == 20000
    assert (rows[0]["clv.amount"], rows[0]["clv.currency"]) == ("200.00", "USD")
    assert (rows[0]["monthly"], rows[0]["currency"]) == ("100.00", "USD")
    assert len(rows) == len(report["segments"])
    assert (nps["name"], nps["value"], nps["amount"], nps["currency"]) == ("nps", "", "", "")


def test_every_report_has_rows() -> None:
    reports = {
        context.path
        for context in iter_route_contexts(shared_app().routes)
        if (context.path or "").startswith(f"{REPORTS}/")
        if find_table(getattr(context.original_route, "response_model", None)) is not None
    }
    paths = {context.path or "" for context in iter_route_contexts(shared_app().routes)}

    assert {path for path in paths if path.startswith(f"{REPORTS}/")} - reports == set()


def test_rows_within_rows_repeat_what_stands_above_them(
    client: TestClient, session: Session
) -> None:
    for key, month in (("a", 1), ("b", 1), ("c", 2)):
        factories.account(session, key)
        add_subscription(session, key, 100_00, starts_on=date(2026, month, 1))

    cohorts = client.get(f"{REPORTS}/cohorts", params={"since": "2026-01-01"}).json()["cohorts"]
    rows = read(client, f"{REPORTS}/cohorts", since="2026-01-01")

    cells = [(cohort, cell) for cohort in cohorts for cell in cohort["cells"]]
    assert cells
    assert [(row["cohorts.start"], row["cohorts.size"], row["month"]) for row in rows] == [
        (cohort["start"], str(cohort["size"]), cell["month"]) for cohort, cell in cells
    ]
    assert rows[0]["mrr"] == "200.00"


def test_the_columns_of_an_empty_report_are_the_same(client: TestClient) -> None:
    header = client.get(f"{REPORTS}/feedback", headers=CSV).text

    assert header == (
        "kind,topic,items,accounts,mrr_cents,mrr,currency,no_rate,open,closed,"
        "median_days_to_close,oldest_open_days\r\n"
    )


def test_a_refused_report_stays_a_problem(client: TestClient) -> None:
    answer = client.get(f"{REPORTS}/nps", params={"since": "2030-01-01"}, headers=CSV)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_table_of_a_kpi_has_its_fields() -> None:
    table = find_table(Kpi)

    assert table is not None
    assert table.path == ()
    assert list(table.columns)[:4] == ["name", "value", "amount", "unit"]
