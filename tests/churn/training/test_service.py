from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.churn.model.artifacts import UnusableArtifactError
from app.churn.model.levels import ModelStage
from app.churn.registry import model_queries, model_service, store
from app.churn.training.active_model import ActiveModel, align_columns
from app.churn.training.service import (
    Candidate,
    TrainingData,
    check_active_model,
    load_training_data,
    record_training_result,
    train_candidate,
)
from app.core.pagination import Paging
from app.interventions.queries import load_treated_days
from app.tables import ChurnModel, Intervention, Message
from app.workspaces.service import Actor
from tests import factories
from tests.churn import fading_workspaces
from tests.conftest import NOW

TODAY = NOW.date()
KIM = Actor("acme", "kim", NOW)


def train(session: Session) -> tuple[TrainingData, Candidate]:
    data = load_training_data(session, "acme", today=TODAY)
    candidate = train_candidate(data)
    assert isinstance(candidate, Candidate)
    return data, candidate


def kim_after(hours: int) -> Actor:
    return replace(KIM, at=NOW + timedelta(hours=hours))


def record_result(
    session: Session,
    candidate: Candidate | str,
    degraded: list[str],
    compared_with: ActiveModel | None,
) -> dict[str, object]:
    return record_training_result(session, KIM, candidate, degraded, compared_with=compared_with)


def messages(session: Session) -> list[str]:
    return sorted(row.type for row in session.query(Message))


def test_a_workspace_with_predictable_churn_gets_an_active_model(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)

    data, candidate = train(session)
    progress = record_result(session, candidate, check_active_model(data), None)

    assert progress == {"step": "done", "version": 1, "stage": "experimental", "state": "active"}
    row = model_queries.get_model(session, "acme", 1)
    assert row.data_through + timedelta(days=row.horizon_days) < TODAY
    assert row.card["data"]["churned_accounts"] >= 20
    assert row.card["unseen"]["figures"]["auc"]["value"] > 0.8
    assert row.card["sha256"] == row.sha256
    assert {check["name"] for check in row.card["checks"] if check["passed"]} >= {
        "unseen_time",
        "better_than_base_rate",
    }
    assert messages(session) == ["model.activated"]
    found = store.load_active_model(session, "acme")
    assert found is not None
    assert (found.stage, found.version) == (ModelStage.EXPERIMENTAL, 1)


def test_interventions_mark_the_rows_of_their_account_as_treated(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session, accounts=10, leave=4)
    session.add(
        Intervention(
            workspace_id="acme",
            id="i1",
            account_id="a001",
            playbook="call",
            state="done",
            value_cents=0,
            details={},
            created_at=factories.LONG_AGO,
            changed_at=factories.LONG_AGO,
            done_at=datetime(2025, 9, 10, tzinfo=UTC),
        )
    )
    session.flush()

    treatments = load_treated_days(session, "acme")
    panel = load_training_data(session, "acme", today=TODAY, treatments=treatments).panel

    assert treatments == {"a001": [date(2025, 9, 10)]}
    assert {date.fromordinal(day) for day in panel.day[panel.treated]} == {date(2025, 8, 31)}
    assert len(set(panel.account[panel.treated])) == 1
    assert load_treated_days(session, "other") == {}


def test_with_few_churned_accounts_the_rules_stay_in_use(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session, leave=3)

    data = load_training_data(session, "acme", today=TODAY)
    candidate = train_candidate(data)

    progress = record_result(session, candidate, check_active_model(data), None)

    assert candidate == (
        "3 accounts have churned: a model needs at least 8, and accounts that have not churned."
    )
    assert progress == {"step": "done", "method": "rules", "why": candidate}
    assert store.load_active_model(session, "acme") is None


def test_an_empty_workspace_trains_no_model(session: Session) -> None:
    factories.workspace(session)

    assert (
        train_candidate(load_training_data(session, "acme", today=TODAY))
        == "0 accounts have churned: a model needs at least 8, and accounts that have not churned."
    )


def test_the_active_model_stays_until_a_better_one_is_trained(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    data, candidate = train(session)
    record_result(session, candidate, [], None)

    data, candidate = train(session)

    assert data.active_model is not None
    assert check_active_model(data) == []
    assert record_result(session, candidate, [], data.active_model)["state"] == "shadow"
    assert {check["name"] for check in candidate.card["checks"] if not check["passed"]} >= {
        "better_than_active"
    }
    active = model_queries.find_active_model(session, "acme")
    assert active is not None
    assert active.version == 1
    assert messages(session) == ["model.activated"]


def test_a_model_activated_during_the_training_is_not_replaced(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)
    record_result(session, candidate, [], None)
    stale = replace(_load_active_model(session), version=7)

    assert record_result(session, candidate, ["The input has drifted."], stale)["state"] == "shadow"


def _load_active_model(session: Session) -> ActiveModel:
    found = load_training_data(session, "acme", today=TODAY).active_model
    assert found is not None
    return found


def test_a_model_whose_input_drifted_is_degraded(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    data, candidate = train(session)
    record_result(session, candidate, [], None)
    data = load_training_data(session, "acme", today=TODAY)
    moved = replace(data, current_x=np.nan_to_num(data.current_x) * 50 + 1000)

    reasons = check_active_model(moved)
    record_result(session, "none", reasons, data.active_model)

    assert reasons
    assert store.load_active_model(session, "acme") is None
    assert model_queries.get_model(session, "acme", 1).state == "degraded"
    assert messages(session) == ["model.activated", "model.degraded"]


def test_unexpected_churn_is_a_reason_to_degrade_the_model(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    data, candidate = train(session)
    record_result(session, candidate, [], None)
    data = load_training_data(session, "acme", today=TODAY)
    assert data.active_model is not None
    early = replace(data.active_model, data_through=date(2025, 1, 1))
    all_left = replace(data.panel, y=np.ones(len(data.panel)))

    assert check_active_model(replace(data, active_model=early)) == []
    assert "left where" in check_active_model(replace(data, active_model=early, panel=all_left))[0]


def test_the_next_training_replaces_an_unusable_artifact(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)
    record_result(session, candidate, [], None)
    row = session.get(ChurnModel, ("acme", 1))
    assert row is not None
    row.sha256 = "of something else"
    session.flush()

    data, candidate = train(session)

    assert data.active_model is None
    assert record_result(session, candidate, [], None)["state"] == "active"
    found = model_queries.list_models(session, "acme", Paging(9, None))
    assert [row.state for row in found.rows] == ["active", "retired"]


def test_columns_are_aligned_by_name(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    data, candidate = train(session)
    model = candidate.model
    names, reversed_x = data.panel.names[::-1], data.current_x[:, ::-1]

    aligned = align_columns(model, names, reversed_x)

    assert (model.predict(aligned) == model.predict(data.current_x)).all()


def test_rolling_back_twice_returns_to_the_rules(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)
    for _ in range(2):
        record_result(session, candidate, [], None)
    model_service.promote(session, KIM, 1)
    model_service.promote(session, kim_after(1), 2)

    first = model_service.roll_back(session, kim_after(2))
    assert first is not None
    assert first.version == 1
    assert model_service.roll_back(session, KIM) is None
    with pytest.raises(model_service.NothingToRollBackError):
        model_service.roll_back(session, KIM)

    states = {r.version: r.state for r in session.query(ChurnModel)}
    assert set(states.values()) == {"rolled_back"}


def test_an_unusable_model_cannot_be_promoted(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)
    record_result(session, replace(candidate, takes_over=False), [], None)
    row = session.get(ChurnModel, ("acme", 1))
    assert row is not None
    row.sha256 = "of something else"
    session.flush()

    with pytest.raises(UnusableArtifactError):
        store.load_model(session, row)
    with pytest.raises(model_service.UnusableModelError):
        model_service.promote(session, KIM, 1)
