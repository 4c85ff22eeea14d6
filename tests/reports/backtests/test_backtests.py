"""Backtests from the request to the result."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.churn.model.training import train
from app.churn.training.queries import TRAINING
from app.core.db import SessionFactory, transaction
from app.jobs import service as jobs
from app.jobs.runner import JobRunner
from app.reports.backtests import job, service
from app.tables import ChurnModel, Job
from app.workspaces.service import Actor
from tests import factories
from tests.churn.test_risk_endpoints import insert_trained_model
from tests.churn.workspaces import UNTIL, add_usage, create_customers, observe_panel
from tests.conftest import NOW

BACKTESTS = "/api/v1/backtests"


def run_jobs(sessions: SessionFactory) -> None:
    runner = JobRunner(sessions, {service.KIND: job.run_backtest_page})
    while runner.step(NOW):
        pass


def run_backtest(client: TestClient, sessions: SessionFactory, *subjects: dict[str, str]) -> Any:  # noqa: ANN401
    created = client.post(BACKTESTS, json={"subjects": subjects})
    assert created.status_code == 202, created.text
    run_jobs(sessions)
    answer = client.get(f"{BACKTESTS}/{created.json()['id']}")
    found = answer.json()
    assert (found["state"], found["error"]) == ("done", None)
    return found["results"]


def test_two_scorecards_are_tested_on_the_same_rows(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_customers(session)
    versions = (2, 3)
    for version in versions:
        factories.scorecard(session, {}, version=version)
    session.commit()

    first, second = run_backtest(
        client, sessions, *({"kind": "scorecard", "key": str(each)} for each in versions)
    )

    assert (first["rows"], first["churned_rows"]) == (second["rows"], second["churned_rows"])
    seen = observe_panel(session)
    assert first["rows"] <= len(seen)
    assert 0 < first["churned_rows"] <= seen.y.sum()
    assert sum(band["rows"] for band in first["bands"]) == first["rows"]
    assert first["horizon_days"] == 90


def test_a_scorecard_is_compared_with_a_model_on_rows_that_the_model_had_not_learnt_from(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_customers(session, stay=20, leave=12, apart=8)
    factories.scorecard(session, {}, version=2)
    session.commit()

    [found] = run_backtest(client, sessions, {"kind": "scorecard", "key": "2"})

    unseen = train(observe_panel(session), seed=1337).unseen
    assert unseen is not None
    compared = found["compared_with_model"]
    assert 0 < compared["rows"] <= min(len(unseen.y), found["rows"])
    assert all(0 <= compared[name] <= 1 for name in ("auc", "auc_of_recency", "auc_of_model"))
    shown = client.get("/api/v1/scorecards/2").json()["prediction"]
    assert (shown["auc"], shown["compared_with_model"]) == (found["auc"], compared)


def test_the_newest_draft_is_tested_together_with_the_active_scorecard(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_customers(session)
    factories.scorecard(session, {}, version=2)
    session.commit()
    with transaction(sessions) as own:
        service.enqueue_activated(own, now=NOW)
    for name in ("First", "Second"):
        client.post("/api/v1/scorecards", json={"name": name})

    for minutes in (1, 2):
        with transaction(sessions) as own:
            service.enqueue_activated(own, now=NOW + timedelta(minutes=minutes))

    tested = [
        [each["key"] for each in found["subjects"]]
        for found in client.get(BACKTESTS).json()["items"]
    ]
    assert tested == [["2", "4"], ["2"]]


def test_the_built_in_scorecard_is_tested_once_a_training_has_ended(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_customers(session)
    session.commit()
    actor = Actor("acme", "test", NOW)

    for state in ("queued", "done"):
        with transaction(sessions) as own:
            training = jobs.enqueue(own, actor, TRAINING, {})
            training.state = state
            service.enqueue_activated(own, now=NOW)

    [found] = client.get(BACKTESTS).json()["items"]
    assert found["subjects"] == [{"kind": "scorecard", "key": "1"}]


@pytest.mark.parametrize(("gap", "churned"), [(20, 0), (31, 0), (32, 1)])
def test_a_contract_that_is_renewed_within_the_grace_is_no_churn_of_a_backtest(
    client: TestClient, session: Session, sessions: SessionFactory, gap: int, churned: int
) -> None:
    """Of seven accounts one ends on 20 November. 29 November is 90 days after 31 August."""
    create_customers(session, stay=6, leave=1)
    add_usage(session, "a0", date(2025, 3, 1), date(2025, 3, 1))  # use is known since then
    renewed = date(2025, 11, 20) + timedelta(days=gap)
    factories.subscription(session, "a6", starts_on=renewed, known_on=renewed)
    factories.scorecard(session, {}, version=2)
    session.commit()

    [found] = run_backtest(client, sessions, {"kind": "scorecard", "key": "2"})

    assert found["churned_accounts"] == churned


def test_a_model_is_evaluated_on_rows_it_had_not_learnt_from(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_customers(session, stay=20, leave=12, apart=8)
    model = insert_trained_model(session)
    row = session.get_one(ChurnModel, ("acme", model.version))
    row.card = {**row.card, "seed": 1337}
    session.commit()

    [found] = run_backtest(client, sessions, {"kind": "model", "key": str(model.version)})

    unseen = train(observe_panel(session), seed=1337).unseen
    assert unseen is not None
    assert found["rows"] == len(unseen.y)
    assert found["churned_rows"] == unseen.y.sum()
    assert {band["band"] for band in found["bands"]} <= {"low", "medium", "high"}


def test_a_rule_is_evaluated_on_the_stored_scores(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_customers(session)
    session.commit()

    [found] = run_backtest(client, sessions, {"kind": "alert_rule", "key": "health_at_risk"})

    assert (found["alerts"], found["churned_accounts"], found["rows"]) == (0, 0, None)


def test_unknown_or_invalid_subjects_are_refused(client: TestClient) -> None:
    def status(**subject: str) -> int:
        return int(client.post(BACKTESTS, json={"subjects": [subject]}).status_code)

    assert status(kind="model", key="7") == 404
    assert status(kind="scorecard", key="7") == 404
    assert status(kind="alert_rule", key="nothing") == 404
    assert status(kind="model", key="seven") == 422
    assert status(kind="crystal_ball", key="1") == 422
    assert client.post(BACKTESTS, json={"subjects": []}).status_code == 422
    assert client.get(f"{BACKTESTS}/job_nothing").status_code == 404


def test_activated_subjects_are_tested_once(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_customers(session)
    insert_trained_model(session)
    factories.scorecard(session, {})
    session.commit()

    for _ in range(2):
        with transaction(sessions) as own:
            service.enqueue_activated(own, now=NOW)

    [found] = client.get(BACKTESTS).json()["items"]
    assert found["subjects"] == [
        {"kind": "model", "key": "1"},
        {"kind": "scorecard", "key": "2"},
    ]
    assert (found["created_by"], found["until"]) == ("service", UNTIL.isoformat())
    assert session.query(Job).count() == 1
