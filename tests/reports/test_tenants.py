"""Reports contain only the caller's workspace."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import (
    Account,
    ChurnRiskHistory,
    DailyUsage,
    Event,
    FeedbackItem,
    HealthHistory,
    HealthScore,
    Sentiment,
    Subscription,
    SurveyResponse,
)
from tests import factories
from tests.conftest import NOW
from tests.tenant_routes import REPORT_ROUTES

pytestmark = pytest.mark.usefixtures("workspace_isolation")

LONG_AGO = NOW.date() - timedelta(days=400)


PARAMS: dict[str, dict[str, str]] = {
    "cohorts": {"since": LONG_AGO.isoformat()},
    "purchase-value": {"months": "1"},
    "time-to-first-value": {"events": "Order Completed", "since": LONG_AGO.isoformat()},
}


@pytest.fixture
def other(session: Session) -> dict[str, str]:
    """Create another workspace with data for every report; return the header of its API key."""
    key = factories.api_key(session, factories.workspace(session, "other"))
    owner: dict[str, Any] = {"workspace_id": "other", "account_id": "b1"}
    at, today = NOW - timedelta(days=40), NOW.date()
    session.add_all(
        [
            Account(**owner, started_on=LONG_AGO + timedelta(days=50)),
            Subscription(
                **owner,
                subscription_id="main",
                starts_on=LONG_AGO,
                known_on=LONG_AGO,
                mrr_cents=100,
                currency="USD",
                source="api",
            ),
            DailyUsage(
                **owner,
                day=LONG_AGO + timedelta(days=100),
                known_on=LONG_AGO + timedelta(days=100),
                user_id="u",
                is_anonymous=False,
                event_name="Order Completed",
                events=1,
            ),
            Event(
                **owner,
                client_at=at,
                message_id="m",
                occurred_at=at,
                received_at=at,
                kind="track",
                name="Order Completed",
                key_id="k",
                fingerprint=0,
                properties={"revenue": 5},
            ),
            HealthHistory(
                **owner,
                as_of=today,
                restatement=0,
                change=0,
                score=50,
                band="healthy",
                status="ok",
                coverage=1,
                mrr_cents=100,
                details={},
                computed_at=NOW,
            ),
            ChurnRiskHistory(
                **owner,
                as_of=at.date(),
                status="ok",
                probability=0.5,
                stage="trusted",
                horizon_days=90,
                revenue_at_risk_cents=600,
                mrr_cents=100,
                details={"horizon_basis": "subscription"},
                computed_at=at,
            ),
            Sentiment(**owner, value=1, reason="They left us.", author="kim", at=NOW),
            HealthScore(
                **owner,
                as_of=today,
                score=50,
                band="healthy",
                status="ok",
                details={"trend": {"d7": 5}},
            ),
            FeedbackItem(**owner, feedback_id="f", kind="request", at=at, known_on=at.date()),
            *(
                SurveyResponse(
                    **owner,
                    response_id=str(n),
                    user_id=str(n),
                    kind="nps",
                    score=9,
                    at=at,
                    known_on=at.date(),
                )
                for n in range(3)
            ),
        ]
    )
    session.commit()
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("name", sorted(REPORT_ROUTES))
def test_the_reports_of_another_workspace_use_its_own_accounts(
    client: TestClient, other: dict[str, str], name: str
) -> None:
    path = name.split()[1]
    params = PARAMS.get(path.rpartition("/")[2], {})
    nothing = client.get(path, params=params)
    something = client.get(path, params=params, headers=other)

    assert (nothing.status_code, something.status_code) == (200, 200)
    mine, theirs = dict(nothing.json()), dict(something.json())
    assert mine != theirs
    assert client.get(path, params=params).json() == mine
