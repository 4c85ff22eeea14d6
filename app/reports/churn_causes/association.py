"""How much more often accounts leave while something holds than while it does not. Pure.

Rates are departures by paid days, so an account counts on either side for as long as it stood
there (docs/reports.md). Nothing of this says that one thing is the cause of the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from scipy.stats import binomtest, false_discovery_control

MIN_CHURNED = 5
DIGITS = 4


@dataclass(frozen=True, slots=True)
class ExposureCounts:
    """Paid days, and how many left on the last of them: while it held, and while it did not."""

    days: int
    left: int
    unexposed_days: int
    unexposed_churned: int


@dataclass(frozen=True, slots=True)
class Association:
    """``lift``: the ratio of the two rates, with a 95 % interval; None: it cannot be told, why."""

    lift: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    reason: str | None = None


def associate(found: Iterable[ExposureCounts]) -> list[Association]:
    """Compare the rates of each, and correct for all that were compared."""
    each = [_associate(held) for held in found]
    tested = [one.p_value for one in each if one.p_value is not None]
    corrected = iter(false_discovery_control(tested, method="bh") if tested else ())
    return [
        one if one.p_value is None else replace(one, q_value=float(next(corrected))) for one in each
    ]


def _associate(held: ExposureCounts) -> Association:
    """Ask how many of all who left would have on one side, if its share of the days decided.

    Given the sum of two Poisson counts, one of them is binomial. The interval is Wilson's.
    """
    left, days = held.left + held.unexposed_churned, held.days + held.unexposed_days
    if not held.days or not held.unexposed_days:
        return Association(reason="nothing_to_compare_with")
    if left < MIN_CHURNED:
        return Association(reason="too_few_left")
    test = binomtest(held.left, left, held.days / days)
    interval = test.proportion_ci(method="wilson")
    ratio = held.unexposed_days / held.days
    low, high = _odds(interval.low, ratio), _odds(interval.high, ratio)
    p_value = float(test.pvalue)
    if not held.unexposed_churned:
        return Association(None, low, None, p_value, reason="nobody_left_otherwise")
    lift = held.left / held.unexposed_churned * ratio
    return Association(round(lift, DIGITS), low, high, p_value)


def _odds(share: float, ratio: float) -> float | None:
    return round(float(share / (1 - share) * ratio), DIGITS) if share < 1 else None


TENURES: Sequence[tuple[str, int | None]] = (
    *(("0-7", 7), ("8-30", 30), ("31-90", 90), ("91-180", 180), ("181-365", 365)),
    ("over 365", None),
)
"""Days from the start to the first day that was not paid, up to and with the number."""


def tenures(days: Sequence[int]) -> dict[str, int]:
    """Count departures by how long they had been there."""
    counts = dict.fromkeys((name for name, _ in TENURES), 0)
    for tenure in days:
        counts[next(name for name, upto in TENURES if upto is None or tenure <= upto)] += 1
    return counts
