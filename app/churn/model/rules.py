"""Churn risk by rules, where too few have left to learn from: no probability. Pure.

Points from 0 to 100: the higher, the more an account looks like leaving (docs/churn.md).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from app.churn.model.levels import LEVELS
from app.churn.model.preprocessing import Floats

WEIGHTS: Mapping[str, float] = {"recency": 50, "recency_over_gap": 20, "volume": 30}
GAPS_UNTIL_FULL = 5
MEDIUM_FROM, HIGH_FROM = 30.0, 60.0
ANNOUNCED_END_POINTS = 100.0


def part_shares(x: Mapping[str, Floats], horizon_days: int) -> dict[str, Floats]:
    """Say how much of its weight each part takes, 0 to 1; nan where nothing is known.

    Silence over half of the horizon; silence beyond the account's own usual gap; how much less
    happens in 28 days than in the same time of the 84.
    """
    usual = x["events_84"] / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(usual > 0, x["events_28"] / usual, np.nan)
    return {
        "recency": np.clip(2 * x["recency"] / horizon_days, 0, 1),
        "recency_over_gap": np.clip((x["recency_over_gap"] - 1) / GAPS_UNTIL_FULL, 0, 1),
        "volume": np.clip(1 - kept, 0, 1),
    }


def points(x: Mapping[str, Floats], horizon_days: int) -> Floats:
    """Weigh the parts that are known; all points for an end that was announced; nan for none."""
    found = part_shares(x, horizon_days)
    known = np.column_stack([found[name] for name in WEIGHTS])
    weights = np.where(np.isnan(known), 0, np.array(list(WEIGHTS.values())))
    with np.errstate(invalid="ignore"):
        weighed = 100 * (np.nan_to_num(known) * weights).sum(axis=1) / weights.sum(axis=1)
    weighed = np.where(x["recency"] >= 0, weighed, np.nan)
    return np.where(x["days_to_end"] <= horizon_days, ANNOUNCED_END_POINTS, weighed)


def risk_level(found: float) -> str:
    return LEVELS[int(found >= MEDIUM_FROM) + int(found >= HIGH_FROM)]


def contributions(x: Mapping[str, Floats], horizon_days: int, names: Sequence[str]) -> Floats:
    """Say how many points each column gives, rows by ``names``: those of parts that are known."""
    given = np.zeros((len(x["recency"]), len(names)))
    for part, share in part_shares(x, horizon_days).items():
        column = "events_28" if part == "volume" else part
        given[:, names.index(column)] = np.nan_to_num(share) * WEIGHTS[part]
    given[x["days_to_end"] <= horizon_days, names.index("days_to_end")] = ANNOUNCED_END_POINTS
    return given
