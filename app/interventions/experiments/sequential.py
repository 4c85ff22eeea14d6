"""What two arms of an experiment say at any moment, however often one looks (docs/adr/0023).

For arms with n trials and s successes each, the mixture likelihood over the likelihood of a
difference d, taken where the other parameter fits best, has an expectation of at most 1 at the
true d, at every stopping time. So the differences at which it stays below 1 / alpha are an
interval that holds the truth at all times at once, with probability 1 - alpha, for any n. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, log

from scipy.special import betaln

PRIOR = 0.5
"""Both parameters of the mixture: Jeffreys' prior, which costs about half of log n an arm."""
STEPS = 40
"""Halvings of an interval of length 2: to within 1e-12."""


@dataclass(frozen=True, slots=True)
class ArmSample:
    """How many units of an arm are decided, and how many of them well."""

    trials: int
    successes: int

    @property
    def rate(self) -> float:
        return self.successes / self.trials


@dataclass(frozen=True, slots=True)
class RateDifference:
    """The difference of two rates, treated less control, with its always-valid interval."""

    difference: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        return self.low <= 0 <= self.high


def compare_arms(treated: ArmSample, control: ArmSample, *, alpha: float) -> RateDifference:
    """Read two arms that have one trial at least each."""
    difference = treated.rate - control.rate
    is_held = partial(interval_contains, treated, control, alpha=alpha)
    low = _edge(is_held, inside=difference, outside=-1.0)
    high = _edge(is_held, inside=difference, outside=1.0)
    return RateDifference(difference, low, high)


def interval_contains(
    treated: ArmSample, control: ArmSample, difference: float, *, alpha: float
) -> bool:
    """Whether a difference is in the interval."""
    mixture = _log_mixture(treated) + _log_mixture(control)
    return _log_fit(treated, control, difference) > mixture + log(alpha)


def _log_mixture(arm: ArmSample) -> float:
    failures = arm.trials - arm.successes
    return float(betaln(PRIOR + arm.successes, PRIOR + failures) - betaln(PRIOR, PRIOR))


def _log_fit(treated: ArmSample, control: ArmSample, difference: float) -> float:
    """The log likelihood at a difference, at the control's rate for which it is largest.

    It is concave in the control's rate, so that the sign of its slope shows where to look.
    """
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    for _ in range(STEPS):
        rate = (low + high) / 2
        if _slope(treated, rate + difference) + _slope(control, rate) > 0:
            low = rate
        else:
            high = rate
    rate = (low + high) / 2
    return _log_likelihood(treated, rate + difference) + _log_likelihood(control, rate)


def _slope(arm: ArmSample, rate: float) -> float:
    failures = arm.trials - arm.successes
    up = arm.successes / rate if rate > 0 else inf * bool(arm.successes)
    down = failures / (1 - rate) if rate < 1 else inf * bool(failures)
    return up - down


def _log_likelihood(arm: ArmSample, rate: float) -> float:
    return _times_log(arm.successes, rate) + _times_log(arm.trials - arm.successes, 1 - rate)


def _times_log(count: int, rate: float) -> float:
    if count == 0:
        return 0.0
    return count * log(rate) if rate > 0 else -inf


def _edge(is_held: Callable[[float], bool], *, inside: float, outside: float) -> float:
    """Find where an interval ends; what is held is one interval, for the fit is concave."""
    if is_held(outside):
        return outside
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if is_held(middle) else (inside, middle)
    return outside
