"""When the log-odds of a model are calibrated, on three folds of 400 accounts."""

import pytest

from app.churn.model.model import Calibration, to_probability
from app.churn.model.training import calibrate
from app.core.arrays import Floats, np

ENDS = np.array([400, 800, 1200])
ACCOUNTS = np.arange(1200)


def draw(seed: int) -> tuple[Floats, Floats]:
    """Return outcomes and the log-odds that they were drawn from."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-2, 1, 1200)
    return (random.random(1200) < to_probability(log_odds)).astype(float), log_odds


def test_log_odds_that_fit_are_seldom_changed() -> None:
    """In one of these 20 draws a calibration gains by chance, by less than the gain's error."""
    changed = [
        calibrate(y, log_odds, ACCOUNTS, ENDS)[1] != Calibration()
        for y, log_odds in map(draw, range(20))
    ]

    assert sum(changed) == 0


@pytest.mark.parametrize("stretch", [2.0, 3.0])
def test_log_odds_that_are_too_extreme_are_calibrated(stretch: float) -> None:
    y, log_odds = draw(1)

    calibrated, calibration = calibrate(y, stretch * log_odds, ACCOUNTS, ENDS)

    assert calibration.slope == pytest.approx(1 / stretch, rel=0.15)
    assert (calibrated[:400] == stretch * log_odds[:400]).all(), "nothing lies before the first"
    assert (calibrated[400:] != stretch * log_odds[400:]).all()
