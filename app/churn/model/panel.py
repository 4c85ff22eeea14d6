"""The training data of churn models: accounts on past days, with their outcomes. Pure.

Rows are ordered by day. A column without any known value is nan in every row. Splits are by time,
so that no model learns from or is tested with later knowledge.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from app.core.arrays import Booleans, Floats, Integers, np

BLOCKS = 3
FIRST_TESTED_SHARE = 0.4
LATEST_SHARE = 0.2
GROUPS = 3


@dataclass(frozen=True, slots=True)
class Panel:
    """One row for each account and observation day. All arrays have the same number of rows.

    ``x``: rows by ``names``, nan where missing. ``y``: 1 if the account churned within
    ``horizon_days`` after ``day``. ``day``: the date's ordinal. ``account``: an index; rows of the
    same account share it. ``treated``: an intervention on the risk was done within the horizon, so
    that the outcome is not the one that would have come without it.
    """

    names: tuple[str, ...]
    x: Floats
    y: Floats
    day: Integers
    account: Integers
    treated: Booleans
    horizon_days: int

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, selection: Booleans | Integers) -> Self:
        """Return the selected rows. ``selection``: a mask or row indices."""
        return replace(
            self,
            x=self.x[selection],
            y=self.y[selection],
            day=self.day[selection],
            account=self.account[selection],
            treated=self.treated[selection],
        )

    @property
    def untreated(self) -> Self:
        """The rows without an intervention. Without any, the panel itself: no copy is made."""
        return self.rows(~self.treated) if self.treated.any() else self

    @property
    def churned_accounts(self) -> int:
        return len(np.unique(self.account[self.y > 0]))


@dataclass(frozen=True, slots=True)
class Fold:
    """Indices of training rows and of test rows."""

    train: Integers
    test: Integers


def rolling_folds(
    panel: Panel, blocks: int = BLOCKS, first: float = FIRST_TESTED_SHARE
) -> list[Fold]:
    """Test on block after block of the later days; train on the rows known before each block.

    The outcome of a row is known ``horizon_days`` after its day, so the gap between training and
    test rows is that long. A fold without test rows, or without both outcomes among its training
    rows, is left out.
    """
    if not len(panel):
        return []
    shares = np.linspace(first, 1, blocks + 1)[:-1]
    days = np.sort(panel.day)
    starts = np.unique(days[(shares * len(days)).astype(int)])
    folds = []
    for start, end in pairwise([*starts, days[-1] + 1]):
        train = np.flatnonzero(panel.day + panel.horizon_days <= start)
        test = np.flatnonzero((panel.day >= start) & (panel.day < end))
        if _has_both_outcomes(panel.y[train]) and len(test):
            folds.append(Fold(train, test))
    return folds


def grouped_folds(panel: Panel, seed: int, groups: int = GROUPS) -> list[Fold]:
    """Test on accounts outside of the training rows, for panels without later time to test on."""
    accounts, account_index = np.unique(panel.account, return_inverse=True)
    group = np.random.default_rng(seed).permutation(len(accounts))[account_index] % groups
    folds = [Fold(np.flatnonzero(group != n), np.flatnonzero(group == n)) for n in range(groups)]
    return [f for f in folds if _has_both_outcomes(panel.y[f.train]) and len(f.test)]


def latest_fold(panel: Panel, seed: int) -> Fold | None:
    """Hold out the latest days, to decide when to stop training; else a group of accounts.

    None: neither split leaves both outcomes to train on.
    """
    if not len(panel):
        return None
    start = np.sort(panel.day)[int((1 - LATEST_SHARE) * len(panel))]
    train = np.flatnonzero(panel.day + panel.horizon_days <= start)
    test = np.flatnonzero(panel.day >= start)
    if _has_both_outcomes(panel.y[train]) and _has_both_outcomes(panel.y[test]):
        return Fold(train, test)
    return next(iter(grouped_folds(panel, seed, round(1 / LATEST_SHARE))), None)


def _has_both_outcomes(y: Floats) -> bool:
    return bool(y.size) and 0 < y.mean() < 1


def useful_columns(x: Floats) -> Integers:
    """Return the indices of columns with at least two different numbers."""
    known = infinite_as_missing(x)
    low = np.fmin.reduce(known, axis=0, initial=np.inf)
    high = np.fmax.reduce(known, axis=0, initial=-np.inf)
    return np.flatnonzero(low < high)


def infinite_as_missing(x: Floats) -> Floats:
    """Replace infinite values by nan. Without any, the array itself is returned, not a copy."""
    infinite = np.isinf(x)
    return np.where(infinite, np.nan, x) if infinite.any() else x
