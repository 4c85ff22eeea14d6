"""Churn risk in lists and in the health envelope."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import ChurnRisk
from tests.conftest import NOW
from tests.portfolio.account_lists import (
    ACCOUNTS,
    AS_OF,
    add_scored_account,
    list_account_ids,
    list_all_account_ids,
)

SUMMARY_FIELDS = (
    "status",
    "level",
    "probability",
    "probability_low",
    "probability_high",
    "stage",
    "horizon_days",
    "as_of",
)


def add_churn_risk(session: Session, account_id: str, risk: float | None, **columns: Any) -> None:  # noqa: ANN401
    level = None if risk is None else "high" if risk >= 0.5 else "low"
    defaults: dict[str, Any] = {
        "as_of": AS_OF,
        "status": "ok" if level else "not_paying",
        "level": level,
        "probability": risk,
        "probability_low": risk and risk - 0.125,
        "probability_high": risk and risk + 0.125,
        "risk": risk,
        "stage": "trusted",
        "model_version": 1,
        "horizon_days": 90,
        "mrr_cents": 100_00,
        "revenue_at_risk_cents": round(1200_00 * (risk or 0)),
        "details": {},
        "computed_at": NOW,
    }
    session.add(ChurnRisk(workspace_id="acme", account_id=account_id, **(defaults | columns)))


@pytest.fixture(autouse=True)
def _accounts(client: TestClient, session: Session) -> None:
    assert client.headers, "the fixture creates the workspace"
    for account_id, risk in {"a": 0.75, "b": 0.125, "c": None, "d": 0.5}.items():
        add_scored_account(session, account_id)
        add_churn_risk(session, account_id, risk)
    add_scored_account(session, "e")
    session.commit()


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"churn_risk.level": "high"}, ["a", "d"]),
    ({"churn_risk.level": None}, ["c", "e"]),
    ({"field": "churn_risk.probability", "op": "lt", "value": 0.5}, ["b"]),
    ({"field": "churn_risk.revenue_at_risk_cents", "op": "gte", "value": 600_00}, ["a", "d"]),
]


@pytest.mark.parametrize(("raw", "ids"), FILTERS, ids=str)
def test_lists_are_filtered_by_churn_risk(
    client: TestClient, raw: dict[str, Any], ids: list[str]
) -> None:
    answer = client.post(f"{ACCOUNTS}/query", json={"filter": raw})

    assert [item["account_id"] for item in answer.json()["items"]] == ids


def test_an_unknown_level_is_refused(client: TestClient) -> None:
    body = {"filter": {"churn_risk.level": "extreme"}}

    assert client.post(f"{ACCOUNTS}/query", json=body).status_code == 422


@pytest.mark.parametrize(
    ("sort", "ids"),
    [("-churn_risk", ["a", "d", "b", "c", "e"]), ("churn_risk", ["b", "d", "a", "c", "e"])],
)
def test_lists_are_ordered_by_churn_risk(client: TestClient, sort: str, ids: list[str]) -> None:
    assert list_account_ids(client, sort=sort) == ids
    assert list_all_account_ids(client, sort=sort, limit=1) == ids


def test_the_churn_risk_is_a_nested_object_in_lists_and_in_the_envelope(client: TestClient) -> None:
    expected = {
        "status": "ok",
        "level": "high",
        "probability": 0.75,
        "probability_low": 0.625,
        "probability_high": 0.875,
        "stage": "trusted",
        "horizon_days": 90,
        "revenue_at_risk_cents": 900_00,
        "revenue_basis": "probability",
        "as_of": AS_OF.isoformat(),
    }
    item = client.get(ACCOUNTS).json()["items"][0]
    scores = client.get("/api/v1/health-scores", params={"account_id": ["a", "e"]}).json()

    assert item["churn_risk"] == expected
    assert client.get(f"{ACCOUNTS}/a/health").json()["churn_risk"] == expected
    assert [each["churn_risk"] for each in scores["items"]] == [
        expected,
        dict.fromkeys(SUMMARY_FIELDS) | {"revenue_at_risk_cents": 0, "revenue_basis": "none"},
    ]


def test_the_churn_risk_has_columns_in_csv(client: TestClient) -> None:
    header, first, *_ = client.get(ACCOUNTS, headers={"Accept": "text/csv"}).text.split("\r\n")

    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert (row["churn_risk.level"], row["churn_risk.probability"]) == ("high", "0.75")


def test_a_refresh_on_demand_evaluates_the_churn_risk(client: TestClient) -> None:
    refreshed = client.post(f"{ACCOUNTS}/e/health/refresh").json()

    assert refreshed["churn_risk"]["status"] == "never_used"
    assert refreshed["churn_risk"]["as_of"] == "2026-03-17"
