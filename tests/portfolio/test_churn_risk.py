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

SHORT = (
    "status",
    "level",
    "probability",
    "stage",
    "horizon_days",
    "revenue_at_risk_cents",
    "as_of",
)


def judged(session: Session, account_id: str, risk: float | None, **columns: Any) -> None:  # noqa: ANN401
    level = None if risk is None else "high" if risk >= 0.5 else "low"
    defaults: dict[str, Any] = {
        "as_of": AS_OF,
        "status": "ok" if level else "not_paying",
        "level": level,
        "probability": risk,
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
    assert client.headers, "it makes the workspace first"
    for account_id, risk in {"a": 0.75, "b": 0.125, "c": None, "d": 0.5}.items():
        add_scored_account(session, account_id)
        judged(session, account_id, risk)
    add_scored_account(session, "e")
    session.commit()


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"churn_risk.level": "high"}, ["a", "d"]),
    ({"churn_risk.level": None}, ["c", "e"]),
    ({"field": "churn_risk.probability", "op": "lt", "value": 0.5}, ["b"]),
    ({"field": "churn_risk.revenue_at_risk_cents", "op": "gte", "value": 600_00}, ["a", "d"]),
]


@pytest.mark.parametrize(("asked", "found"), FILTERS, ids=str)
def test_lists_are_filtered_by_churn_risk(
    client: TestClient, asked: dict[str, Any], found: list[str]
) -> None:
    answer = client.post(f"{ACCOUNTS}/query", json={"filter": asked})

    assert [item["account_id"] for item in answer.json()["items"]] == found


def test_a_level_that_there_is_not_is_refused(client: TestClient) -> None:
    asked = {"filter": {"churn_risk.level": "extreme"}}

    assert client.post(f"{ACCOUNTS}/query", json=asked).status_code == 422


@pytest.mark.parametrize(
    ("sort", "found"),
    [("-churn_risk", ["a", "d", "b", "c", "e"]), ("churn_risk", ["b", "d", "a", "c", "e"])],
)
def test_lists_are_ordered_by_churn_risk(client: TestClient, sort: str, found: list[str]) -> None:
    assert list_account_ids(client, sort=sort) == found
    assert list_all_account_ids(client, sort=sort, limit=1) == found


def test_it_is_an_object_of_its_own_in_lists_and_answers(client: TestClient) -> None:
    expected = {
        "status": "ok",
        "level": "high",
        "probability": 0.75,
        "stage": "trusted",
        "horizon_days": 90,
        "revenue_at_risk_cents": 900_00,
        "as_of": AS_OF.isoformat(),
    }
    item = client.get(ACCOUNTS).json()["items"][0]
    scores = client.get("/api/v1/health-scores", params={"account_id": ["a", "e"]}).json()

    assert item["churn_risk"] == expected
    assert client.get(f"{ACCOUNTS}/a/health").json()["churn_risk"] == expected
    assert [each["churn_risk"] for each in scores["items"]] == [expected, dict.fromkeys(SHORT)]


def test_it_has_columns_of_its_own_in_csv(client: TestClient) -> None:
    header, first, *_ = client.get(ACCOUNTS, headers={"Accept": "text/csv"}).text.split("\r\n")

    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert (row["churn_risk.level"], row["churn_risk.probability"]) == ("high", "0.75")


def test_a_refresh_on_demand_judges_too(client: TestClient) -> None:
    found = client.post(f"{ACCOUNTS}/e/health/refresh").json()

    assert found["churn_risk"]["status"] == "never_used"
    assert found["churn_risk"]["as_of"] == "2026-03-17"
