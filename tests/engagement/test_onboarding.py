"""Onboarding steps that are done by usage or by a trait, and the pace of peers."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import pipeline
from app.core.db import SessionFactory
from app.engagement import onboarding
from app.jobs.runner import JobRunner
from app.tables import OnboardingCompletion, OnboardingPace
from app.worker import job_handlers
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import DAY, TODAY, days_ago, engagement_of, semantic_call
from tests.events.calls import ingest, text_rows


def step(client: TestClient, key: str = "send", **fields: Any) -> None:  # noqa: ANN401
    answer = client.put(f"/api/v1/onboarding-steps/{key}", json={"position": 1, **fields})
    assert answer.status_code == 200, answer.text


def done(session: Session) -> list[tuple[str, str, str]]:
    return text_rows(
        session,
        "SELECT account_id, known_on::text, done_at::date::text FROM onboarding_completion"
        " ORDER BY 1, 2",
    )


def test_a_step_is_done_after_one_of_its_events(client: TestClient, session: Session) -> None:
    step(client, event_names=["Export", "Share"])
    ingest(client, semantic_call("Share", "m1", days=3), semantic_call("Export", "m2", days=1))
    client.patch("/api/v1/accounts/a1", json={"started_on": str(days_ago(9))})

    pipeline.refresh(session, "acme", ["a1"], as_of=days_ago(1), now=NOW)
    assert done(session) == []
    pipeline.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)
    ingest(client, semantic_call("Share", "m3"))
    pipeline.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)

    assert done(session) == [("a1", "2026-03-18", "2026-03-15")]
    progress = engagement_of(session).onboarding
    assert progress is not None
    assert progress.current is None


@pytest.mark.parametrize(("value", "is_done"), [(True, 1), ("yes", 1), (3, 1), (False, 0), (0, 0)])
def test_a_step_is_done_if_the_account_has_the_trait(
    client: TestClient, session: Session, value: object, is_done: int
) -> None:
    step(client, trait="sso")
    client.put("/api/v1/accounts/a1", json={"traits": {"sso": value}})

    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY)

    assert len(done(session)) == is_done


def test_a_new_step_is_recorded_from_old_usage(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    factories.account(session, "a1")
    factories.account(session, "a2")
    factories.usage(session, days_ago(400))
    factories.usage(session, days_ago(300), known_on=days_ago(2))
    factories.usage(session, days_ago(200), event_name="Share", account_id="a2")
    step(client, event_names=["Export"])
    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY)
    assert done(session) == []

    runner = JobRunner(sessions, job_handlers())
    while runner.step(NOW + timedelta(seconds=1)):
        pass

    assert done(session) == [("a1", str(days_ago(400)), str(days_ago(400)))]
    assert [job["state"] for job in client.get("/api/v1/jobs").json()["items"]] == ["done"]


def test_only_today_is_read_for_unchanged_accounts(client: TestClient, session: Session) -> None:
    factories.account(session, "a1")
    factories.usage(session, days_ago(3))
    step(client, event_names=["Export"])

    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY, unchanged=["a1"])
    assert done(session) == []
    factories.usage(session, TODAY)
    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY, unchanged=["a1"])

    assert done(session) == [("a1", str(TODAY), str(TODAY))]


def pace(session: Session) -> tuple[date, list[str], dict[str, Any]]:
    row = session.get_one(OnboardingPace, "acme", populate_existing=True)
    return row.as_of, row.steps, row.pace


def test_the_pace_is_computed_once_a_day_and_after_a_change_of_steps(
    client: TestClient, session: Session
) -> None:
    for number in range(3):
        factories.account(session, f"a{number}", started_on=days_ago(20))
    step(client)
    completed(session, "a0", days_ago(18))

    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY)
    assert pace(session) == (TODAY, ["send"], {"send": [2.0, 1]})
    completed(session, "a2", days_ago(14))
    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY)
    onboarding.refresh(session, "acme", ["a1"], as_of=days_ago(1))
    assert pace(session) == (TODAY, ["send"], {"send": [2.0, 1]})
    progress = engagement_of(session).onboarding
    assert progress is not None
    assert progress.current is not None
    assert (progress.current.peers_median_days, progress.current.peers) == (2.0, 1)

    step(client, "share", position=2)
    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY)
    assert pace(session) == (TODAY, ["send", "share"], {"send": [4.0, 2]})
    completed(session, "a1", days_ago(12))
    onboarding.refresh(session, "acme", ["a1"], as_of=TODAY + DAY)
    assert pace(session) == (TODAY + DAY, ["send", "share"], {"send": [6.0, 3]})


def completed(session: Session, account_id: str, day: date) -> None:
    at = datetime.combine(day, time.min, UTC)
    row = OnboardingCompletion(
        workspace_id="acme", account_id=account_id, step_key="send", known_on=day, done_at=at
    )
    session.add(row)
    session.flush()


def test_a_step_without_event_names_needs_no_backfill(client: TestClient) -> None:
    step(client)
    step(client, event_names=["Export"])
    step(client, event_names=["Export"], name="Send")

    assert len(client.get("/api/v1/jobs").json()["items"]) == 1
    assert DAY * 56 == onboarding.LOOK_BACK
