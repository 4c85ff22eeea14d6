"""The lifetime value of accounts over a horizon, by survival analysis (Kaplan-Meier). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.arrays import Booleans, Floats, np


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long accounts have paid. Every array has one entry for each account.

    ``months``: for how many calendar months it has paid. ``ended``: whether it has churned.
    ``cents``: what it pays a month, 0 if it has churned.
    """

    months: Floats
    ended: Booleans
    cents: Floats


@dataclass(frozen=True, slots=True)
class LifetimeEstimate:
    """The expected value of an account; None if no account pays.

    ``survival[k]``: the share of accounts that pays k months after the first paid day.
    """

    cents: float | None
    monthly_cents: float | None
    survival: Sequence[float]
    accounts: int
    paying: int
    ended: int


def survival(lifetimes: Lifetimes, months: int) -> Floats:
    """Estimate the share of accounts that still pays at the start of each month, beginning with 1.

    Kaplan and Meier (1958): an account that has not churned counts for as long as it was observed.
    """
    times, shares = _kaplan_meier(lifetimes.months, lifetimes.ended)
    passed = np.searchsorted(times, np.arange(months), side="right")
    return np.concatenate([[1.0], shares])[passed]


def _kaplan_meier(lengths: Floats, ended: Booleans) -> tuple[Floats, Floats]:
    """Return the distinct lengths of ended entries, and the share still going on after each."""
    times, ends = np.unique(lengths[ended], return_counts=True)
    at_risk = len(lengths) - np.searchsorted(np.sort(lengths), times, side="left")
    return times, np.asarray(np.cumprod(1 - ends / at_risk), np.float64)


def estimate_value(lifetimes: Lifetimes, *, margin: float, months: int) -> LifetimeEstimate:
    """Compute margin x mean MRR of paying accounts x expected paid months within the horizon."""
    paying = ~lifetimes.ended
    counts = len(lifetimes.months), int(paying.sum()), int(lifetimes.ended.sum())
    if not paying.any():
        return LifetimeEstimate(None, None, (), *counts)
    curve = survival(lifetimes, months)
    monthly = float(lifetimes.cents[paying].mean())
    return LifetimeEstimate(margin * monthly * float(curve.sum()), monthly, curve.tolist(), *counts)


def median_days(days: Floats, reached: Booleans) -> float | None:
    """Return the median of the days until an account reaches an event (Kaplan-Meier).

    ``days``: until the event, or until the last observation where ``reached`` is false. None: fewer
    than half are known to reach it.
    """
    if not reached.any():
        return None
    times, shares = _kaplan_meier(days, reached)
    below = times[shares <= 0.5]  # noqa: PLR2004 - the median
    return float(below[0]) if len(below) else None
