"""The level of the active model follows the outcomes, from training to training."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.churn.registry import model_queries, store
from app.churn.training.service import (
    check_active_model,
    load_training_data,
    recalibrate_active_model,
    record_training_result,
)
from tests.churn import fading_workspaces
from tests.churn.training.test_service import KIM, TODAY, kim_after, record_result, train


def test_a_new_model_begins_with_the_level_of_its_own_past(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)

    record_result(session, candidate, [], None)

    found = candidate.recalibration
    assert found is not None
    assert model_queries.get_model(session, "acme", 1).recalibrations == [
        {"starts_on": (TODAY - timedelta(days=1)).isoformat(), **found.to_json()}
    ]
    served = store.load_active_model(session, "acme")
    assert served is not None
    assert served.precision.level_error == found.error
    assert served.bias == pytest.approx(candidate.model.bias + found.offset)


def test_each_training_moves_the_level_of_the_active_model_from_the_next_day_on(
    session: Session,
) -> None:
    """All accounts churned in the newest horizon: the level rises for the risks of today."""
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)
    record_result(session, candidate, [], None)
    data = load_training_data(session, "acme", today=TODAY)
    all_left = replace(data, panel=replace(data.panel, y=np.ones(len(data.panel))))
    moved = recalibrate_active_model(all_left)
    assert moved is not None
    assert candidate.recalibration is not None

    for _ in range(2):  # the second training of a day replaces what the first one found
        record_training_result(
            session, KIM, "none", [], compared_with=data.active_model, recalibration=moved
        )

    before = store.load_active_model(session, "acme", as_of=TODAY - timedelta(days=1))
    after = store.load_active_model(session, "acme", as_of=TODAY)
    assert before is not None
    assert after is not None
    assert before.bias == pytest.approx(candidate.model.bias + candidate.recalibration.offset)
    assert after.bias == pytest.approx(candidate.model.bias + moved.offset)
    assert after.bias > before.bias + 1
    assert len(model_queries.get_model(session, "acme", 1).recalibrations) == 2


def test_an_unchanged_level_is_not_stored_again(session: Session) -> None:
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)
    record_result(session, candidate, [], None)
    data = load_training_data(session, "acme", today=TODAY)
    same = recalibrate_active_model(data)

    record_training_result(
        session, kim_after(48), "none", [], compared_with=data.active_model, recalibration=same
    )

    assert same == candidate.recalibration
    assert len(model_queries.get_model(session, "acme", 1).recalibrations) == 1


def test_a_level_that_followed_the_outcomes_is_no_drift(session: Session) -> None:
    """Of a model that expects too much, only the level is wrong."""
    fading_workspaces.create_fading_workspace(session)
    _, candidate = train(session)
    record_result(session, candidate, [], None)
    data = load_training_data(session, "acme", today=TODAY)
    assert data.active_model is not None
    high = data.active_model.model.shifted(3, data.active_model.model.precision)
    fixed = replace(data.active_model, model=high, data_through=date(2025, 1, 1), profile={})
    stale = replace(data, active_model=fixed)
    followed = replace(fixed, recalibration=recalibrate_active_model(stale))

    assert any("left where" in each for each in check_active_model(stale))
    assert not check_active_model(replace(data, active_model=followed))
