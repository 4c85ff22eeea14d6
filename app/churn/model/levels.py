"""Probabilities as levels: how far the odds lie above what is usual in the workspace. Pure."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from app.churn.model.preprocessing import Floats

LEVELS = ("low", "medium", "high")
ODDS_RATIOS = (1.5, 3.0)
"""From which on a risk is medium, and high. Of odds, so that there is room above any base rate."""
MIN_PROBABILITY = 1e-9


def risk_levels(p: Floats, usual: float) -> NDArray[np.int64]:
    """Place probabilities in ``LEVELS``. ``usual``: the share that leaves within the horizon."""
    sure = np.clip([*p, usual], MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    above = logit(sure[:-1]) - logit(sure[-1])
    return np.asarray(np.searchsorted(np.log(ODDS_RATIOS), above, side="right"), np.int64)


def changed_level_share(before: Floats, after: Floats) -> float:
    """Say how many of the same accounts get another level, each model with its own usual."""
    if not len(before):
        return 0.0
    levels = [risk_levels(p, float(p.mean())) for p in (before, after)]
    return float((levels[0] != levels[1]).mean())
