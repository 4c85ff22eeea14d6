"""What the owner of an account feels stands beside the score and never enters it."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.collaboration.agreement import Agreement, compare
from app.tables import HealthScore, Sentiment
from tests import factories
from tests.conftest import NOW

KIM = "kim@example.com"


@pytest.fixture(autouse=True)
def account(session: Session, client: TestClient) -> None:
    del client  # it makes the workspace
    factories.account(session, "a1")
    session.commit()


def state(client: TestClient, value: int, reason: str = "They said so.") -> dict[str, Any]:
    body = {"value": value, "reason": reason, "author": KIM}
    answer = client.post("/api/v1/accounts/a1/sentiment", json=body)
    assert answer.status_code == 201, answer.text
    sentiment: dict[str, Any] = answer.json()
    return sentiment


@pytest.mark.parametrize(
    ("value", "band", "expected"),
    [
        (5, "at_risk", Agreement.OPTIMISTIC),
        (4, "at_risk", Agreement.OPTIMISTIC),
        (3, "at_risk", Agreement.AGREES),
        (4, "watch", Agreement.AGREES),
        (2, "watch", Agreement.AGREES),
        (2, "healthy", Agreement.PESSIMISTIC),
        (1, "healthy", Agreement.PESSIMISTIC),
        (5, "healthy", Agreement.AGREES),
        (1, "unknown", Agreement.UNKNOWN),
    ],
)
def test_only_good_at_risk_and_bad_healthy_disagree(
    value: int, band: str, expected: Agreement
) -> None:
    assert compare(value, band) is expected


def test_the_newest_sentiment_counts_and_has_an_age(client: TestClient, session: Session) -> None:
    old = {"account_id": "a1", "value": 5, "reason": "Great talk.", "author": KIM}
    session.add(Sentiment(workspace_id="acme", at=NOW - timedelta(days=40, hours=1), **old))
    session.commit()
    assert client.get("/api/v1/accounts/a1/sentiment").json()["age_days"] == 40

    state(client, 2, "A new director.")

    current = client.get("/api/v1/accounts/a1/sentiment").json()
    assert (current["value"], current["reason"], current["age_days"]) == (2, "A new director.", 0)
    versions = client.get("/api/v1/accounts/a1/sentiment/versions").json()["items"]
    assert [each["value"] for each in versions] == [2, 5]


def test_the_score_stands_beside_it_and_does_not_change(
    client: TestClient, session: Session
) -> None:
    session.add(HealthScore(workspace_id="acme", account_id="a1", score=81.5, band="healthy"))
    session.commit()

    state(client, 1)

    current = client.get("/api/v1/accounts/a1/sentiment").json()
    assert current["machine"] == {"score": 81.5, "band": "healthy"}
    assert current["agreement"] == "pessimistic"
    assert session.scalar(text("SELECT count(*) FROM due")) == 0, "nothing is scored again"


def test_without_a_sentiment_there_is_none(client: TestClient) -> None:
    answer = client.get("/api/v1/accounts/a1/sentiment")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get("/api/v1/accounts/a1/sentiment/versions").json()["items"] == []
    assert client.get("/api/v1/accounts/nobody/sentiment/versions").status_code == 404


@pytest.mark.parametrize("value", [0, 6, "4", 2.5])
def test_only_1_to_5_is_a_sentiment(client: TestClient, value: object) -> None:
    answer = client.post("/api/v1/accounts/a1/sentiment", json={"value": value, "reason": "x"})

    assert answer.status_code == 422
