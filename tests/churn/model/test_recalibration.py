from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from app.churn.model.candidates import ModelKind
from app.churn.model.levels import risk_levels
from app.churn.model.linear import Linear
from app.churn.model.model import Model, Precision, to_log_odds
from app.churn.model.panel import Panel
from app.churn.model.recalibration import Recalibration, fit_recalibration, recalibrate
from tests.churn import panels
from tests.churn.model.test_model import fit_model

ONE_IN_FOUR = Model(
    ("c0",),
    30,
    (Linear.fit(np.zeros((4, 1)), np.array([0.0, 0.0, 0.0, 1.0])),),
    base_rate=0.25,
)
"""A model that predicts a probability of one in four for every account."""


def observed(churned: int, accounts: int = 40, *, before: int | None = None) -> Panel:
    """Observe accounts on one day, or on two that are a horizon apart; some churn after each."""
    counts = [churned] if before is None else [before, churned]
    y = np.concatenate([np.arange(accounts) < count for count in counts]).astype(float)
    return panels.build_panel(np.zeros((len(y), 1)), y, accounts=accounts)


def fit(panel: Panel) -> Recalibration:
    found = fit_recalibration(ONE_IN_FOUR, panel)
    assert found is not None
    return found


def test_the_level_moves_towards_what_it_missed_by_the_number_of_churned_accounts() -> None:
    """Ten of forty were to churn, four did: odds of 1/9 instead of 1/3, so it missed -log 3.

    The filter begins with a variance of 1/4, and a step adds 0.3²: 0.34 against the noise of 1/4.
    """
    found = fit(observed(4))

    assert found.offset == pytest.approx(-np.log(3) * 0.34 / 0.59)
    assert found.expected == pytest.approx(10)
    assert (found.observed, found.churned_accounts) == (4, 4)
    assert found.observed_from == found.observed_through == date(2025, 1, 31)


def test_the_newest_horizon_counts_most_and_treated_rows_never() -> None:
    """Before, 20 of 40 churned: odds of 1 instead of 1/3, so it missed log 3 with 20 churned."""
    panel = observed(4, before=20)
    treated = replace(panel, treated=np.arange(len(panel)) >= 40)
    gain = (1 / 20 + 0.09) / (1 / 20 + 0.09 + 1 / 20)
    variance = (1 / 20 + 0.09) * (1 - gain) + 0.09
    before, newest = np.log(3) * gain, -np.log(3)

    moved = before + (newest - before) * variance / (variance + 1 / 4)
    assert fit(panel).offset == pytest.approx(moved)
    assert fit(treated).offset == pytest.approx(before)
    assert fit_recalibration(ONE_IN_FOUR, panel.rows(panel.day < 0)) is None


def test_a_horizon_in_which_nobody_churned_counts_as_half_an_account() -> None:
    """Before, ten of forty churned, as expected. Half of forty is odds of 1/79."""
    gain = 0.19 / 0.29
    variance = 0.19 * (1 - gain) + 0.09

    found = fit(observed(0, before=10))

    assert found.offset == pytest.approx(np.log(3 / 79) * variance / (variance + 2))
    assert (found.observed, found.churned_accounts) == (0, 0)


def test_few_churned_accounts_and_unsteady_horizons_leave_a_large_error() -> None:
    few, many = fit(observed(1, accounts=4)), fit(observed(250, accounts=1000))
    steady, unsteady = (fit(observed(250, accounts=1000, before=n)) for n in (250, 40))

    assert few.error > 1.5 * many.error
    assert unsteady.error > 2 * steady.error


def test_recalibration_changes_probabilities_and_no_risk_level() -> None:
    panel = panels.synthetic_panel()
    model = replace(fit_model(ModelKind.LOGISTIC, panel), base_rate=0.2)
    shift = replace(fit(observed(4)), offset=-0.7)

    shifted = recalibrate(model, shift)

    np.testing.assert_allclose(shifted.margin(panel.x), model.margin(panel.x) - 0.7)
    np.testing.assert_allclose(shifted.bias, model.bias - 0.7)
    before, after = (
        risk_levels(each.predict(panel.x), each.base_rate) for each in (model, shifted)
    )
    assert (before == after).all()
    assert recalibrate(model, None) is model


def test_the_range_of_a_probability_is_1_28_standard_errors_to_either_side() -> None:
    """At the base rate only the level counts; the slope adds its error by the distance from it."""
    exact = replace(ONE_IN_FOUR, precision=Precision(0.5, 9.0))
    far = replace(exact, base_rate=0.5, precision=Precision(0.3, 0.4 / np.log(3)))
    x = np.zeros((1, 1))

    for model in (exact, far):  # hypot(0.3, 0.4) is 0.5
        (low,), (high,) = model.probability_range(x)
        assert to_log_odds(low) == pytest.approx(-np.log(3) - 1.2816 * 0.5)
        assert to_log_odds(high) == pytest.approx(-np.log(3) + 1.2816 * 0.5)


def test_it_is_stored_as_json() -> None:
    found = fit(observed(4))

    assert Recalibration.from_json({"starts_on": "2026-01-01", **found.to_json()}) == found


def falling_world(seed: int, accounts: int = 400, months: int = 24) -> Panel:
    """Let the base rate of churn within a month fall from 12 to 3 %; what leads to it stays."""
    random = np.random.default_rng(seed)
    use = random.normal(size=(months, accounts))
    level = np.linspace(to_log_odds(0.12), to_log_odds(0.03), months)[:, None]
    y = random.random(use.shape) < 1 / (1 + np.exp(0.5 - level + use))
    return panels.build_panel(use.reshape(-1, 1), y.ravel().astype(float), accounts=accounts)


def test_while_the_base_rate_falls_a_recalibrated_model_is_right_and_a_fixed_one_is_not() -> None:
    """The model learns from the first year. Of the second year each month is predicted."""
    ratios, in_range = [], []
    for seed in range(5):
        panel = falling_world(seed)
        days = np.unique(panel.day)
        early = panel.rows(panel.day < days[12])
        part = Linear.fit(early.x, early.y)
        model = Model(panel.names, 30, (part,), base_rate=float(early.y.mean()))
        model = replace(model, precision=Precision(slope_error=0.1))
        for now in days[13:]:
            row = panel.rows(panel.day == now)
            served = recalibrate(model, fit_recalibration(model, panel.rows(panel.day + 30 <= now)))
            low, high = (each.sum() for each in served.probability_range(row.x))
            in_range.append(low <= row.y.sum() <= high)
            ratios.append((row.y.sum(), model.predict(row.x).sum(), served.predict(row.x).sum()))
    churned, by_fixed, by_recalibrated = np.sum(ratios, axis=0)

    assert churned / by_fixed < 0.7
    assert 0.85 < churned / by_recalibrated < 1.15
    assert np.mean(in_range) > 0.7
