"""Endpoints of restatements, and the history that they change."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.health.tables import HealthHistory
from tests import factories
from tests.conftest import NOW

ROUTE = "/api/v1/scorecards/1/restate"
TODAY, DAY = NOW.date(), timedelta(days=1)
BODY = {"since": "2026-03-01", "until": "2026-03-17"}


def test_a_restatement_is_accepted_numbered_and_queued_as_a_job(client: TestClient) -> None:
    first = client.post(ROUTE, json=BODY)
    second = client.post(ROUTE, json=BODY).json()

    assert first.status_code == 202
    restatement = first.json()
    assert (restatement["number"], restatement["scorecard_version"], second["number"]) == (1, 1, 2)
    job = client.get(f"/api/v1/jobs/{restatement['job_id']}").json()
    assert (job["kind"], job["state"]) == ("restate", "queued")
    listed = client.get("/api/v1/restatements", params={"limit": 1}).json()
    assert [row["number"] for row in listed["items"]] == [2]
    listed = client.get("/api/v1/restatements", params={"cursor": listed["next_cursor"]}).json()
    assert [row["number"] for row in listed["items"]] == [1]


@pytest.mark.parametrize(
    ("since", "until", "pointer"),
    [
        (TODAY - DAY, TODAY, "/body/until"),
        (TODAY + DAY, TODAY + DAY, "/body/until"),
        (TODAY - DAY, TODAY - 2 * DAY, "/body/since"),
        (TODAY - 1101 * DAY, TODAY - DAY, "/body/since"),
    ],
)
def test_days_that_are_not_past_or_too_many_are_rejected(
    client: TestClient, since: object, until: object, pointer: str
) -> None:
    answer = client.post(ROUTE, json={"since": str(since), "until": str(until)})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert client.get("/api/v1/restatements").json()["items"] == []


def test_the_longest_range_is_accepted(client: TestClient) -> None:
    since = TODAY - 1100 * DAY
    answer = client.post(ROUTE, json={"since": str(since), "until": str(TODAY - DAY)})

    assert answer.status_code == 202


def test_only_the_active_version_can_restate_the_history(client: TestClient) -> None:
    measure = {"name": "depth", "source": {"metric": "depth"}, "transform": {"kind": "percentile"}}
    card = {"default": {"measures": [measure]}}
    assert client.post("/api/v1/scorecards", json=card).json()["version"] == 2

    draft = client.post("/api/v1/scorecards/2/restate", json=BODY)
    unknown = client.post("/api/v1/scorecards/9/restate", json=BODY)

    assert (draft.status_code, draft.json()["code"]) == (409, "not_active")
    assert unknown.status_code == 404
    assert client.get("/api/v1/restatements").json()["items"] == []


def test_the_newest_restatement_is_shown_and_the_original_on_request(
    client: TestClient, session: Session
) -> None:
    factories.account(session)
    for number, score in enumerate((40.0, 50.0, 60.0)):
        row = HealthHistory(
            workspace_id="acme",
            account_id="a1",
            as_of=TODAY - DAY,
            restatement=number,
            change=0,
            score=score,
            band="watch",
            status="ok",
            coverage=1.0,
            mrr_cents=0,
            details={},
            computed_at=NOW,
        )
        session.add(row)
    session.commit()

    newest = client.get("/api/v1/accounts/a1/health/history").json()["items"]
    first = client.get("/api/v1/accounts/a1/health/history", params={"original": True}).json()

    assert [(row["restatement"], row["value"]) for row in newest] == [(2, 60.0)]
    assert [(row["restatement"], row["value"]) for row in first["items"]] == [(0, 40.0)]
