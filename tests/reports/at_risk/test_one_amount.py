"""Every answer and message tells the same revenue at risk of an account."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.portfolio.revenue_at_risk_queries import load_revenue_at_risk
from app.tables import ChurnRisk, ChurnRiskHistory, HealthHistory
from tests import factories
from tests.conftest import NOW
from tests.portfolio.account_lists import ACCOUNTS, AS_OF, add_scored_account

CASES = {
    # account: band, level, probability, stored cents, expected cents, basis
    "modelled": ("healthy", "low", 0.125, 150_00, 150_00, "probability"),
    "banded": ("at_risk", "medium", None, 0, 360_00, "assumed"),
    "ruled": ("healthy", "high", None, 360_00, 360_00, "assumed"),
    "healthy": ("healthy", "low", None, 0, 0, "none"),
    "older": ("healthy", "low", None, 0, 0, "none"),
}
"""Each account pays 100 a month."""


@pytest.fixture(autouse=True)
def _accounts(client: TestClient, session: Session) -> None:
    assert client.headers, "the fixture creates the workspace"
    for key, (band, level, probability, stored, _, basis) in CASES.items():
        add_scored_account(session, key, band=band, mrr_cents=100_00)
        factories.alert(session, key)
        stored_basis = {"banded": "none", "older": "arr"}.get(key, basis)
        cents = 1200_00 if key == "older" else stored
        details: dict[str, Any] = {"horizon_basis": "subscription", "outlook": "within_horizon"}
        details |= {"renewal_on": None, "revenue_basis": stored_basis, "drivers": []}
        row: dict[str, Any] = {
            "workspace_id": "acme",
            "account_id": key,
            "as_of": AS_OF,
            "status": "ok",
        }
        row |= {"level": level, "probability": probability, "risk": 0.5, "stage": "trusted"}
        row |= {"horizon_days": 90, "revenue_at_risk_cents": cents, "details": details}
        session.add(ChurnRisk(**row, mrr_cents=100_00, computed_at=NOW))
        session.add(ChurnRiskHistory(**row, computed_at=NOW))
        score: dict[str, Any] = {
            "workspace_id": "acme",
            "account_id": key,
            "as_of": AS_OF,
            "change": 0,
        }
        score |= {"score": 50, "band": band, "status": "ok", "coverage": 1, "mrr_cents": 100_00}
        session.add(HealthHistory(**score, details={}, computed_at=NOW))
    session.commit()


def amounts(client: TestClient, key: str) -> dict[str, tuple[int, str]]:
    """Return the amount and basis of each answer about an account."""

    def get(path: str, **params: str) -> Any:  # noqa: ANN401 - an answer
        answer = client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    listed = get(ACCOUNTS, filter=f'{{"account_id": "{key}"}}')["items"][0]["churn_risk"]
    envelope = get(f"{ACCOUNTS}/{key}/health")["churn_risk"]
    alert = next(x for x in get("/api/v1/alerts")["items"] if x["account_id"] == key)
    risk = get(f"{ACCOUNTS}/{key}/churn-risk")["revenue_at_risk"]
    [past] = get(f"{ACCOUNTS}/{key}/churn-risk/history", until="2026-03-18")["items"]
    found = {
        name: (each["revenue_at_risk_cents"], each["revenue_basis"])
        for name, each in {"list": listed, "envelope": envelope}.items()
    }
    found["alert"] = (alert["revenue_at_risk_cents"], alert["revenue_at_risk_basis"])
    for name, each in {"risk": risk, "history": past["revenue_at_risk"]}.items():
        found[name] = (each["cents"], each["basis"])
    return found


@pytest.mark.parametrize("key", [key for key in CASES if key != "older"])
def test_all_answers_agree(client: TestClient, session: Session, key: str) -> None:
    *_, cents, basis = CASES[key]

    assert set(amounts(client, key).values()) == {(cents, basis)}
    [loaded] = load_revenue_at_risk(session, "acme", [key]).values()
    assert (loaded.cents, loaded.basis) == (cents, basis)


def test_a_day_of_before_tells_no_revenue_of_a_healthy_account(client: TestClient) -> None:
    """Earlier versions stored 12 x 100 for an account without a probability."""
    assert amounts(client, "older")["history"] == (0, "none")
