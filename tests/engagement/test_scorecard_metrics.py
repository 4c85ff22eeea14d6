"""Engagement metrics as measures of a scorecard."""

from dataclasses import replace

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.features.queries import load_account_features
from app.features.values import AccountFeatures
from tests import factories
from tests.engagement.semantic_calls import TODAY, semantic_call
from tests.events.calls import ingest
from tests.lifecycle.id_changes import FEATURE_SPEC


def features(session: Session, *, engagement: bool) -> AccountFeatures:
    spec = replace(FEATURE_SPEC, engagement=engagement)
    [found] = load_account_features(session, "acme", ["a1"], as_of=TODAY, spec=spec)
    return found


def test_metrics_are_loaded_if_a_scorecard_uses_them(client: TestClient, session: Session) -> None:
    client.put("/api/v1/onboarding-steps/invite", json={"position": 1})
    client.put("/api/v1/onboarding-steps/send", json={"position": 2})
    ingest(
        client,
        semantic_call("NPS Submitted", "m1", score=9),
        semantic_call("NPS Submitted", "m2", score=4, userId="bob"),
        semantic_call("Ticket Created", "m3", days=2, ticket_id="t1"),
        semantic_call("Onboarding Step Completed", "m4", step="invite"),
        semantic_call("Feedback Submitted", "m5", kind="complaint"),
    )

    assert features(session, engagement=False).engagement == {}
    assert features(session, engagement=True).engagement == {
        "nps": 6.5,
        "open_tickets": 1,
        "tickets_90d": 1,
        "late_replies_28d": 1,
        "unanswered_feedback": 1,
        "onboarding_share": 0.5,
    }


def test_a_scorecard_can_measure_survey_answers(client: TestClient, session: Session) -> None:
    line = {"kind": "linear_bounded", "at_0": 0, "at_100": 10}
    measure = {"name": "sentiment", "source": {"metric": "nps"}, "transform": line}
    factories.scorecard(session, {"default": {"measures": [measure]}})
    ingest(
        client,
        semantic_call("Export", "m0", days=60),
        semantic_call("NPS Submitted", "m1", score=7),
    )

    score = client.post("/api/v1/accounts/a1/health/refresh").json()

    assert [(each["name"], each["score"]) for each in score["measures"]] == [("sentiment", 70)]
