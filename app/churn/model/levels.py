"""Risk levels: how far the odds of churn lie above the workspace's base rate. Pure."""

from enum import StrEnum

from app.core.arrays import Floats, Integers, np

LEVELS = ("low", "medium", "high")
ODDS_RATIOS = (1.5, 3.0)
"""Where ``medium`` and ``high`` begin. Ratios of odds leave room above any base rate."""
MIN_PROBABILITY = 1e-9


class ModelStage(StrEnum):
    """How reliable a risk is.

    ``rules``: no probability. ``experimental``: a probability with a warning. ``trusted``: a
    probability that proved better than simple references on unseen time.
    """

    RULES = "rules"
    EXPERIMENTAL = "experimental"
    TRUSTED = "trusted"


def risk_levels(p: Floats, base_rate: float) -> Integers:
    """Return the index in ``LEVELS`` of each probability.

    ``base_rate``: the share of accounts that churns within the horizon.
    """
    clipped = np.clip([*p, base_rate], MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    log_odds = np.log(clipped / (1 - clipped))
    log_odds_ratio = log_odds[:-1] - log_odds[-1]
    return np.asarray(np.searchsorted(np.log(ODDS_RATIOS), log_odds_ratio, side="right"), np.int64)


def changed_level_share(before: Floats, after: Floats) -> float:
    """Return the share of accounts whose level differs between two models.

    Both arrays have the same accounts. Each model's base rate is its own mean.
    """
    if not len(before):
        return 0.0
    levels = [risk_levels(p, float(p.mean())) for p in (before, after)]
    return float((levels[0] != levels[1]).mean())
