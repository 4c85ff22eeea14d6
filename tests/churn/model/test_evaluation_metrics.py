import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from app.churn.model import evaluation_metrics

RANDOM = np.random.default_rng(5)
P = RANDOM.random(600)
Y = (RANDOM.random(600) < P).astype(float)


def test_metrics_equal_those_of_scikit_learn() -> None:
    assert evaluation_metrics.auc(Y, P) == pytest.approx(roc_auc_score(Y, P))
    assert evaluation_metrics.log_losses(Y, P).mean() == pytest.approx(log_loss(Y, P))


def test_ties_count_half() -> None:
    assert evaluation_metrics.auc(np.array([0.0, 1.0]), np.array([0.5, 0.5])) == 0.5


@pytest.mark.parametrize("y", [[], [0.0, 0.0], [1.0, 1.0]])
def test_metrics_are_none_without_both_outcomes(y: list[float]) -> None:
    outcomes, p = np.array(y), np.full(len(y), 0.4)

    assert evaluation_metrics.auc(outcomes, p) is None
    assert evaluation_metrics.calibration_slope(outcomes, p) is None


@pytest.mark.parametrize("stretch", [0.5, 1.0, 2.0])
def test_the_calibration_slope_measures_how_far_log_odds_are_too_extreme(stretch: float) -> None:
    random = np.random.default_rng(1)
    log_odds = random.normal(size=20_000)
    y = (random.random(20_000) < 1 / (1 + np.exp(-log_odds))).astype(float)

    p = 1 / (1 + np.exp(-log_odds / stretch))

    assert evaluation_metrics.calibration_slope(y, p) == pytest.approx(stretch, rel=0.1)


def test_lift_compares_the_riskiest_tenth_with_all_rows() -> None:
    y = np.zeros(100)
    y[:5] = 1
    p = np.linspace(1, 0, 100)

    assert evaluation_metrics.lift(y, p) == pytest.approx(10)
    assert evaluation_metrics.lift(np.zeros(100), p) is None


def test_a_bootstrap_sample_has_all_rows_of_an_account_or_none() -> None:
    account = np.array([1, 1, 1, 2, 2, 3])

    for rows in evaluation_metrics.bootstrap_rows(account, seed=1, count=20):
        drawn, times = np.unique(rows, return_counts=True)
        for each in np.unique(account):
            assert len(set(times[np.isin(drawn, np.flatnonzero(account == each))])) <= 1


def test_repeated_rows_of_an_account_do_not_lower_the_standard_error() -> None:
    values = RANDOM.normal(size=50)
    once = evaluation_metrics.standard_error(values, np.arange(50))
    tenfold = evaluation_metrics.standard_error(np.repeat(values, 10), np.repeat(np.arange(50), 10))

    assert tenfold == pytest.approx(once)


def test_the_standard_error_agrees_with_the_bootstrap() -> None:
    account = np.repeat(np.arange(40), 5)
    values = RANDOM.normal(size=40)[account] + RANDOM.normal(size=200)

    drawn = evaluation_metrics.bootstrap_means(values, account, seed=2)

    assert evaluation_metrics.standard_error(values, account) == pytest.approx(drawn.std(), rel=0.1)


def test_reliability_groups_contain_every_row_once() -> None:
    bins = evaluation_metrics.reliability(Y, P)

    assert sum(each["rows"] for each in bins) == len(Y)
    assert [each["expected"] for each in bins] == sorted(each["expected"] for each in bins)


@given(
    seed=st.integers(0, 2**32 - 1),
    stretch=st.floats(-3, 3),
    level=st.floats(-4, 4),
    spread=st.sampled_from([1e-9, 0.1, 1.0, 30.0]),
)
@settings(max_examples=40)
def test_calibration_fits_as_well_as_scikit_learn(
    seed: int, stretch: float, level: float, spread: float
) -> None:
    random = np.random.default_rng(seed)
    z = random.normal(size=200)
    y = (random.random(200) < 1 / (1 + np.exp(-level - stretch * z))).astype(float)
    assume(0 < y.sum() < len(y))

    slope, intercept = evaluation_metrics.fit_platt(y, level + spread * z)
    theirs = LogisticRegression(C=np.inf, max_iter=1000).fit(z[:, None], y)

    ours = 1 / (1 + np.exp(-(intercept + slope * (level + spread * z))))
    assert log_loss(y, ours) <= log_loss(y, theirs.predict_proba(z[:, None])) + 1e-5


def test_calibration_of_equal_log_odds_moves_them_to_the_share_that_churned() -> None:
    """One of four churned: the log-odds of a quarter are -log 3."""
    slope, intercept = evaluation_metrics.fit_platt(np.array([1.0, 0, 0, 0]), np.full(4, 0.1))

    assert slope * 0.1 + intercept == pytest.approx(-np.log(3))


def test_calibration_ends_where_a_value_separates_the_outcomes() -> None:
    y, z = np.array([0.0, 0, 1, 1]), np.array([-2.0, -1, 1, 2])

    slope, intercept = evaluation_metrics.fit_platt(y, z)

    assert 5 < slope < 50
    assert intercept == pytest.approx(0, abs=1e-6)
