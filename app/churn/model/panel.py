"""What churn models learn from: accounts as they looked on past days, and what came of them. Pure.

Rows stand in the order of their days. A column of which nothing is known is nan from top to bottom.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Panel:
    """One row for each account and observation day; all arrays have as many rows.

    ``x``: rows by ``names``, nan where missing. ``y``: 1 where the account churned within
    ``horizon_days`` after ``day``, a date's ordinal. ``account``: which rows are of one account.
    ``treated``: somebody did something about the risk meanwhile, so that the outcome is not what
    would have come of it by itself.
    """

    names: tuple[str, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    day: NDArray[np.int64]
    account: NDArray[np.int64]
    treated: NDArray[np.bool_]
    horizon_days: int

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Take some of the rows, by a mask or by their places."""
        return type(self)(
            self.names,
            self.x[which],
            self.y[which],
            self.day[which],
            self.account[which],
            self.treated[which],
            self.horizon_days,
        )

    @property
    def churned_accounts(self) -> int:
        return len(np.unique(self.account[self.y > 0]))
