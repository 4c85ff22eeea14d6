"""Split a panel by time, so that nothing that was known later judges or teaches. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.churn.model.panel import Panel

BLOCKS = 3
FIRST_TESTED_SHARE = 0.4
LATEST_SHARE = 0.2
GROUPS = 3


@dataclass(frozen=True, slots=True)
class Fold:
    """Places of rows to learn from, and of later rows to be judged by."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def rolling(panel: Panel, blocks: int = BLOCKS, first: float = FIRST_TESTED_SHARE) -> list[Fold]:
    """Test on block after block of the later days; learn from what was known before each.

    The outcome of a row is known ``horizon_days`` after its day: so long is the gap. A fold is left
    out where either side does not hold both outcomes.
    """
    if not len(panel):
        return []
    shares = np.linspace(first, 1, blocks + 1)[:-1]
    days = np.sort(panel.day)
    starts = np.unique(days[(shares * len(days)).astype(int)])
    ends = [*starts[1:], days[-1] + 1]
    found = []
    for start, end in zip(starts, ends, strict=True):
        train = np.flatnonzero(panel.day + panel.horizon_days <= start)
        test = np.flatnonzero((panel.day >= start) & (panel.day < end))
        if _both(panel.y[train]) and len(test):
            found.append(Fold(train, test))
    return found


def grouped(panel: Panel, seed: int, groups: int = GROUPS) -> list[Fold]:
    """Test on accounts that were not learnt from: where there is no later time to test on."""
    accounts, group_of = np.unique(panel.account, return_inverse=True)
    group = np.random.default_rng(seed).permutation(len(accounts))[group_of] % groups
    folds = [Fold(np.flatnonzero(group != n), np.flatnonzero(group == n)) for n in range(groups)]
    return [f for f in folds if _both(panel.y[f.train]) and len(f.test)]


def latest(panel: Panel, seed: int) -> Fold | None:
    """Set the last days aside, to see when to stop learning; else, without any, some accounts."""
    if not len(panel):
        return None
    start = np.sort(panel.day)[int((1 - LATEST_SHARE) * len(panel))]
    train = np.flatnonzero(panel.day + panel.horizon_days <= start)
    test = np.flatnonzero(panel.day >= start)
    if _both(panel.y[train]) and _both(panel.y[test]):
        return Fold(train, test)
    return next(iter(grouped(panel, seed, round(1 / LATEST_SHARE))), None)


def _both(y: NDArray[np.float64]) -> bool:
    return bool(y.size) and 0 < y.mean() < 1
