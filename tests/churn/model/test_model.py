from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from app.churn.model.candidates import ModelKind, fit
from app.churn.model.model import Calibration, Model
from app.churn.model.panel import Panel
from tests.churn import panels

ODD = [np.nan, np.inf, -np.inf, 0.0, 1e300, -1e300]


def fit_model(kind: ModelKind, panel: Panel, calibration: Calibration = Calibration()) -> Model:  # noqa: B008
    parts = fit(kind, panel, core=("events_84", "recency"), seed=1)
    return Model(panel.names, panel.horizon_days, parts, calibration)


@cache
def model_of_kind(kind: ModelKind) -> Model:
    return fit_model(kind, panels.synthetic_panel(), Calibration(0.8, 0.1))


def assert_adds_up(model: Model, x: NDArray[np.float64]) -> None:
    total = model.contributions(x).sum(axis=1) + model.bias

    np.testing.assert_allclose(total, model.margin(x), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ModelKind)
@given(x=arrays.arrays(np.float64, (3, 4), elements=st.floats(-1e6, 1e6) | st.sampled_from(ODD)))
@settings(max_examples=25)
def test_contributions_add_up_to_the_log_odds(kind: ModelKind, x: NDArray[np.float64]) -> None:
    assert_adds_up(model_of_kind(kind), x)
    assert ((model_of_kind(kind).predict(x) >= 0) & (model_of_kind(kind).predict(x) <= 1)).all()


@pytest.mark.parametrize("kind", [ModelKind.BOOSTED, ModelKind.DEEP])
def test_walking_the_trees_gives_the_predictions_of_scikit_learn(kind: ModelKind) -> None:
    """Use enough rows for several chunks, and leave a third of the values missing."""
    random = np.random.default_rng(3)
    x = random.normal(size=(5000, 4))
    x[random.random(x.shape) < 1 / 3] = np.nan

    assert_adds_up(model_of_kind(kind), x)


@pytest.mark.parametrize("kind", ModelKind)
def test_an_unused_column_contributes_nothing(kind: ModelKind) -> None:
    panel = panels.synthetic_panel()
    panel.x[:, 2] = 7  # the same for all
    panel.x[:, 3] = np.nan

    model = fit_model(kind, panel)

    assert not model.contributions(panel.x)[:, 2:].any()
    assert_adds_up(model, panel.x)


@pytest.mark.parametrize("kind", ModelKind)
def test_contributions_cancel_out_over_the_training_rows(kind: ModelKind) -> None:
    panel = panels.synthetic_panel()
    contributions = fit_model(kind, panel).contributions(panel.x)

    if kind in {ModelKind.SMALL, ModelKind.LOGISTIC}:
        assert contributions.mean(axis=0) == pytest.approx(0, abs=1e-9)
    else:
        assert (
            abs(contributions.sum(axis=1).mean()) < 0.1
        )  # exact only over the rows that the bags drew


@pytest.mark.parametrize("kind", ModelKind)
def test_less_use_is_more_risk(kind: ModelKind) -> None:
    much, little = [60.0, 1.0, 0, 0], [0.5, 9.0, 0, 0]

    p = model_of_kind(kind).predict(np.array([much, little]))

    assert p[1] > 3 * p[0]
    assert model_of_kind(kind).contributions(np.array([little]))[0, 0] > 0


@pytest.mark.parametrize("kind", [ModelKind.SMALL, ModelKind.LOGISTIC])
def test_a_linear_model_does_not_extrapolate_beyond_the_training_rows(kind: ModelKind) -> None:
    rows = np.array([[1e9, 1.0, 0, 0], [1e12, 1.0, 0, 0]])

    assert len(set(model_of_kind(kind).predict(rows))) == 1


@pytest.mark.parametrize("kind", ModelKind)
@pytest.mark.parametrize("empty", [[], [0, 1, 2, 3]])
def test_a_row_without_any_value_still_gets_a_probability(
    kind: ModelKind, empty: Sequence[int]
) -> None:
    """Values are missing in one row, or in all rows, which leaves the base rate."""
    panel = panels.synthetic_panel()
    panel.x[:, list(empty)] = np.nan

    p = fit_model(kind, panel).predict(np.full((1, 4), np.nan))

    assert 0 < p[0] < 1
    if empty:
        assert p[0] == pytest.approx(panel.y.mean())


def test_a_missing_value_can_itself_raise_the_risk() -> None:
    panel = panels.synthetic_panel(strength=0, base=0)
    panel.x[panel.y > 0, 2] = np.nan

    p = fit_model(ModelKind.LOGISTIC, panel).predict(np.array([[5, 3, np.nan, 0], [5, 3, 0.0, 0]]))

    assert p[0] > 0.9
    assert p[1] < 0.1


@pytest.mark.parametrize("kind", ModelKind)
def test_the_same_seed_gives_the_same_model(kind: ModelKind) -> None:
    panel = panels.synthetic_panel()

    again = [fit_model(kind, panel).margin(panel.x) for _ in range(2)]

    assert (again[0] == again[1]).all()
