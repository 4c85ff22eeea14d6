from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.churn.model.artifacts import UnusableArtifactError
from app.churn.model.model import ModelStage
from app.churn.registry import model_queries, model_service, store
from app.churn.training import service
from app.churn.training.service import (
    ActiveModel,
    Candidate,
    TrainingData,
    check_active_model,
    load_training_data,
    record_training_result,
    train_candidate,
)
from app.core.pagination import Paging
from app.interventions.treatment_queries import load_treated_days
from app.tables import ChurnModel, Intervention, Message
from app.workspaces.service import Actor
from tests import factories
from tests.churn import fading_workspaces
from tests.conftest import NOW

TODAY = NOW.date()
KIM = Actor("acme", "kim", NOW)


def trained(session: Session) -> tuple[TrainingData, Candidate]:
    material = load_training_data(session, "acme", today=TODAY)
    candidate = train_candidate(material)
    assert isinstance(candidate, Candidate)
    return material, candidate


def later(hours: int) -> Actor:
    return replace(KIM, at=NOW + timedelta(hours=hours))


def settled(
    session: Session, candidate: Candidate | str, degraded: list[str], over: ActiveModel | None
) -> dict[str, object]:
    return record_training_result(session, KIM, candidate, degraded, over=over)


def messages(session: Session) -> list[str]:
    return sorted(row.type for row in session.query(Message))


def test_a_workspace_of_fading_accounts_gets_its_model(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)

    material, candidate = trained(session)
    told = settled(session, candidate, check_active_model(material), None)

    assert told == {"step": "done", "version": 1, "stage": "experimental", "state": "active"}
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


def test_what_was_done_about_an_account_marks_its_rows(session: Session) -> None:
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


def test_few_churned_accounts_leave_the_rules_in_force(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session, leave=3)

    material = load_training_data(session, "acme", today=TODAY)
    candidate = train_candidate(material)

    told = settled(session, candidate, check_active_model(material), None)

    assert candidate == "3 accounts have churned, 8 are needed."
    assert told == {"step": "done", "method": "rules", "why": candidate}
    assert store.load_active_model(session, "acme") is None


def test_an_empty_workspace_has_nothing_to_train_with(session: Session) -> None:
    factories.workspace(session)

    assert (
        train_candidate(load_training_data(session, "acme", today=TODAY))
        == "0 accounts have churned, 8 are needed."
    )


def test_the_model_that_holds_is_kept_until_a_better_one_comes(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    material, candidate = trained(session)
    settled(session, candidate, [], None)

    material, candidate = trained(session)

    assert material.active_model is not None
    assert check_active_model(material) == []
    assert settled(session, candidate, [], material.active_model)["state"] == "shadow"
    assert {check["name"] for check in candidate.card["checks"] if not check["passed"]} >= {
        "better_than_active"
    }
    active = model_queries.find_active_model(session, "acme")
    assert active is not None
    assert active.version == 1
    assert messages(session) == ["model.activated"]


def test_a_model_that_took_over_meanwhile_is_not_pushed_out(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = trained(session)
    settled(session, candidate, [], None)
    stale = replace(_holder(session), version=7)

    assert settled(session, candidate, ["It is late."], stale)["state"] == "shadow"


def _holder(session: Session) -> ActiveModel:
    found = load_training_data(session, "acme", today=TODAY).active_model
    assert found is not None
    return found


def test_a_model_whose_input_has_moved_is_taken_out_of_service(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    material, candidate = trained(session)
    settled(session, candidate, [], None)
    material = load_training_data(session, "acme", today=TODAY)
    moved = replace(material, today=np.nan_to_num(material.today) * 50 + 1000)

    reasons = check_active_model(moved)
    settled(session, "none", reasons, material.active_model)

    assert reasons
    assert store.load_active_model(session, "acme") is None
    assert model_queries.get_model(session, "acme", 1).state == "degraded"
    assert messages(session) == ["model.activated", "model.degraded"]


def test_a_model_that_expected_others_to_leave_is_taken_out_of_service(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    material, candidate = trained(session)
    settled(session, candidate, [], None)
    material = load_training_data(session, "acme", today=TODAY)
    assert material.active_model is not None
    early = replace(material.active_model, data_through=date(2025, 1, 1))
    all_left = replace(material.panel, y=np.ones(len(material.panel)))

    assert check_active_model(replace(material, active_model=early)) == []
    assert (
        "left where" in check_active_model(replace(material, active_model=early, panel=all_left))[0]
    )


def test_an_artifact_of_other_versions_is_replaced_by_the_next_training(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = trained(session)
    settled(session, candidate, [], None)
    row = session.get(ChurnModel, ("acme", 1))
    assert row is not None
    row.sha256 = "of something else"
    session.flush()

    material, candidate = trained(session)

    assert material.active_model is None
    assert settled(session, candidate, [], None)["state"] == "active"
    found = model_queries.list_models(session, "acme", Paging(9, None))
    assert [row.state for row in found.rows] == ["active", "retired"]


def test_a_columns_order_does_not_matter_to_the_model_that_holds(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    material, candidate = trained(session)
    model = candidate.trained.model
    assert model is not None
    names, turned = material.panel.names[::-1], material.today[:, ::-1]

    aligned = service.align_columns(model, names, turned)

    assert (model.predict(aligned) == model.predict(material.today)).all()


def test_promoted_rolled_back_and_back_to_the_rules(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = trained(session)
    for _ in range(2):
        settled(session, candidate, [], None)
    model_service.promote(session, KIM, 1)
    model_service.promote(session, later(1), 2)

    first = model_service.roll_back(session, later(2))
    assert first is not None
    assert first.version == 1
    assert model_service.roll_back(session, KIM) is None
    with pytest.raises(model_service.NothingToRollBackError):
        model_service.roll_back(session, KIM)

    states = {r.version: r.state for r in session.query(ChurnModel)}
    assert set(states.values()) == {"rolled_back"}


def test_a_model_that_cannot_be_read_here_cannot_be_promoted(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = trained(session)
    settled(session, replace(candidate, takes_over=False), [], None)
    row = session.get(ChurnModel, ("acme", 1))
    assert row is not None
    row.sha256 = "of something else"
    session.flush()

    with pytest.raises(UnusableArtifactError):
        store.load_model(session, row)
    with pytest.raises(model_service.UnfitModelError):
        model_service.promote(session, KIM, 1)
