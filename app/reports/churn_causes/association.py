"""How much more often accounts churn while a condition is met than while it is not. Pure.

Rates are churned accounts divided by paid days, so an account counts with the condition for the
days with it, and without for the others (docs/reports.md). No result says that the condition is
the cause.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

MIN_CHURNED = 5
DIGITS = 4


@dataclass(frozen=True, slots=True)
class ExposureCounts:
    """Paid days, and accounts that churned on them: with the condition met, and without."""

    exposed_days: int
    exposed_churned: int
    unexposed_days: int
    unexposed_churned: int


@dataclass(frozen=True, slots=True)
class Association:
    """``lift``: churn rate with the condition / without. 95 % interval: ``low`` to ``high``.

    Without a lift, ``reason`` says why. ``q_value``: the p-value corrected for all comparisons.
    """

    lift: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    reason: str | None = None


def associate(counts: Iterable[ExposureCounts]) -> list[Association]:
    """Compare the two rates of each condition, and correct the p-values for all comparisons."""
    from scipy.stats import false_discovery_control

    associations = [_associate(each) for each in counts]
    tested = [each.p_value for each in associations if each.p_value is not None]
    corrected = iter(false_discovery_control(tested, method="bh") if tested else ())
    return [
        each if each.p_value is None else replace(each, q_value=float(next(corrected)))
        for each in associations
    ]


def _associate(counts: ExposureCounts) -> Association:
    """Test whether the exposed share of churned accounts differs from the exposed share of days.

    Given the sum of two Poisson counts, one of them is binomial. The interval is Wilson's.
    """
    churned = counts.exposed_churned + counts.unexposed_churned
    days = counts.exposed_days + counts.unexposed_days
    if not days:
        return Association(reason="no_paid_days")
    if not counts.exposed_days or not counts.unexposed_days:
        return Association(reason="nothing_to_compare_with")
    if churned < MIN_CHURNED:
        return Association(reason="too_few_left")
    from scipy.stats import binomtest

    test = binomtest(counts.exposed_churned, churned, counts.exposed_days / days)
    interval = test.proportion_ci(method="wilson")
    ratio = counts.unexposed_days / counts.exposed_days
    low, high = _rate_ratio(interval.low, ratio), _rate_ratio(interval.high, ratio)
    p_value = float(test.pvalue)
    if not counts.unexposed_churned:
        return Association(None, low, None, p_value, reason="nobody_left_otherwise")
    lift = counts.exposed_churned / counts.unexposed_churned * ratio
    return Association(round(lift, DIGITS), low, high, p_value)


def _rate_ratio(share: float, ratio: float) -> float | None:
    """Convert the exposed share of churned accounts to the ratio of the rates."""
    return round(float(share / (1 - share) * ratio), DIGITS) if share < 1 else None


TENURES: Sequence[tuple[str, int | None]] = (
    *(("0-7", 7), ("8-30", 30), ("31-90", 90), ("91-180", 180), ("181-365", 365)),
    ("over 365", None),
)
"""Tenure groups: name and last day (included), in days from the start to the first unpaid day."""


def tenures(days: Sequence[int]) -> dict[str, int]:
    """Count churned accounts by tenure group. ``days``: from the start to the first unpaid day."""
    counts = dict.fromkeys((name for name, _ in TENURES), 0)
    for tenure in days:
        counts[next(name for name, upto in TENURES if upto is None or tenure <= upto)] += 1
    return counts
