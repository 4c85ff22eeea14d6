"""What an account is worth over a horizon, from how long accounts stay (Kaplan-Meier). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

MONTH_DAYS = 30.4375


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """``days``: how long each account has paid; ``ended``: whether it has left since.

    ``cents``: what it pays a month, 0 where it has left.
    """

    days: NDArray[np.float64]
    ended: NDArray[np.bool_]
    cents: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LifetimeEstimate:
    """``survival[k]``: the share that pays k months after the first paid day."""

    cents: float | None
    monthly_cents: float | None
    survival: Sequence[float]
    accounts: int
    paying: int
    ended: int


def survival(lifetimes: Lifetimes, months: int) -> NDArray[np.float64]:
    """Estimate the share that still pays at the start of each month, beginning with 1.

    Kaplan and Meier (1958): who has not left yet counts as long as it was seen.
    """
    seen = stats.CensoredData(
        uncensored=lifetimes.days[lifetimes.ended], right=lifetimes.days[~lifetimes.ended]
    )
    curve: NDArray[np.float64] = stats.ecdf(seen).sf.evaluate(MONTH_DAYS * np.arange(months))
    return curve


def estimate_value(lifetimes: Lifetimes, *, margin: float, months: int) -> LifetimeEstimate:
    """Margin x mean MRR of who pays x the expected number of paid months within the horizon."""
    paying = ~lifetimes.ended
    counts = len(lifetimes.days), int(paying.sum()), int(lifetimes.ended.sum())
    if not paying.any():
        return LifetimeEstimate(None, None, (), *counts)
    curve = survival(lifetimes, months)
    monthly = float(lifetimes.cents[paying].mean())
    return LifetimeEstimate(margin * monthly * float(curve.sum()), monthly, curve.tolist(), *counts)


def median_days(days: NDArray[np.float64], reached: NDArray[np.bool_]) -> float | None:
    """Return after how many days half have got there; None: half have not, as far as is known."""
    if not reached.any():
        return None
    curve = stats.ecdf(stats.CensoredData(uncensored=days[reached], right=days[~reached])).sf
    below = curve.quantiles[curve.probabilities <= 0.5]  # noqa: PLR2004 - the median
    return float(below[0]) if len(below) else None
