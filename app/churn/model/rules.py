"""Churn risk by rules, where too few accounts have churned to train a model. Pure.

Points from 0 to 100, higher is riskier; no probability (docs/churn.md).
"""

from collections.abc import Mapping, Sequence

from app.churn.model.levels import LEVELS
from app.core.arrays import Floats, np

WEIGHTS: Mapping[str, float] = {"recency": 50, "recency_over_gap": 20, "volume": 30}
GAPS_UNTIL_FULL = 5
MEDIUM_FROM, HIGH_FROM = 30.0, 60.0
ANNOUNCED_END_POINTS = 100.0


def part_shares(x: Mapping[str, Floats], horizon_days: int) -> dict[str, Floats]:
    """Return the share of its weight that each part gives, 0 to 1; nan where it is not known.

    ``recency``: silence over half of the horizon. ``recency_over_gap``: silence beyond the
    account's own usual gap. ``volume``: the decrease of events in 28 days against a third of the
    events in 84 days.
    """
    usual = x["events_84"] / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        remaining = np.where(usual > 0, x["events_28"] / usual, np.nan)
    return {
        "recency": np.clip(2 * x["recency"] / horizon_days, 0, 1),
        "recency_over_gap": np.clip((x["recency_over_gap"] - 1) / GAPS_UNTIL_FULL, 0, 1),
        "volume": np.clip(1 - remaining, 0, 1),
    }


def points(x: Mapping[str, Floats], horizon_days: int) -> Floats:
    """Return the weighted points of the parts that are known.

    An announced end within the horizon gives all points. An account that was never used and has
    announced no end has nan.
    """
    shares_by_part = part_shares(x, horizon_days)
    shares = np.column_stack([shares_by_part[name] for name in WEIGHTS])
    weights = np.where(np.isnan(shares), 0, np.array(list(WEIGHTS.values())))
    with np.errstate(invalid="ignore"):
        weighted = 100 * (np.nan_to_num(shares) * weights).sum(axis=1) / weights.sum(axis=1)
    weighted = np.where(x["recency"] >= 0, weighted, np.nan)
    return np.where(x["days_to_end"] <= horizon_days, ANNOUNCED_END_POINTS, weighted)


def risk_level(risk_points: float) -> str:
    return LEVELS[int(risk_points >= MEDIUM_FROM) + int(risk_points >= HIGH_FROM)]


def contributions(x: Mapping[str, Floats], horizon_days: int, names: Sequence[str]) -> Floats:
    """Return the points that each column gives, as rows by ``names``. Unknown parts give 0."""
    given = np.zeros((len(x["recency"]), len(names)))
    for part, share in part_shares(x, horizon_days).items():
        column = "events_28" if part == "volume" else part
        given[:, names.index(column)] = np.nan_to_num(share) * WEIGHTS[part]
    given[x["days_to_end"] <= horizon_days, names.index("days_to_end")] = ANNOUNCED_END_POINTS
    return given
