"""The range of a probability in the answers about an account."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.churn.model.model import to_log_odds
from app.churn.registry import model_queries
from tests.churn.test_risk_endpoints import get_risk, insert_trained_model, refresh
from tests.churn.workspaces import create_customers


def test_a_probability_has_its_range_in_every_answer(client: TestClient, session: Session) -> None:
    """Nothing is known of this model's level and slope: errors of 0.5, and 0.5 for each unit."""
    create_customers(session, stay=6, leave=3)
    active_model = insert_trained_model(session)
    refresh(session, "a0")
    session.commit()
    found = get_risk(client)

    names = ("probability_low", "probability", "probability_high")
    low, middle, high = (to_log_odds(found[name]) for name in names)
    row = model_queries.get_model(session, "acme", active_model.version)
    base_rate = row.card["data"]["churned_rows"] / row.card["data"]["rows"]
    error = 0.5 * (1 + (middle - to_log_odds(base_rate)) ** 2) ** 0.5
    assert [middle - low, high - middle] == pytest.approx([1.2816 * error] * 2)
    envelope = client.get("/api/v1/accounts/a0/health").json()["churn_risk"]
    [past] = client.get("/api/v1/accounts/a0/churn-risk/history").json()["items"]
    for answer in (envelope, past):
        assert [answer[name] for name in names] == [found[name] for name in names]
