"""Always-valid interval for the difference of two rates, at any time of looking (docs/adr/0023).

For arms with n trials and s successes each, the mixture likelihood over the likelihood of a
difference d, maximized over the other parameter, has an expectation of at most 1 at the true d, at
every stopping time. So the differences at which it stays below 1 / alpha form an interval that
contains the true difference at all times at once, with probability 1 - alpha, for any n. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, lgamma, log

PRIOR = 0.5
"""Both parameters of the mixture: Jeffreys' prior, which costs about half of log n per arm."""
STEPS = 40
"""Bisection steps on an interval of length 2: precise to 1e-12."""


@dataclass(frozen=True, slots=True)
class ArmSample:
    """Decided families of an arm (``trials``), and how many of them are a success."""

    trials: int
    successes: int

    @property
    def rate(self) -> float:
        return self.successes / self.trials


@dataclass(frozen=True, slots=True)
class RateDifference:
    """The treated rate minus the control rate, with its always-valid interval."""

    difference: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        return self.low <= 0 <= self.high


def compare_arms(treated: ArmSample, control: ArmSample, *, alpha: float) -> RateDifference:
    """Compare two arms with at least one trial each."""
    difference = treated.rate - control.rate
    contains = partial(interval_contains, treated, control, alpha=alpha)
    low = _find_end(contains, inside=difference, outside=-1.0)
    high = _find_end(contains, inside=difference, outside=1.0)
    return RateDifference(difference, low, high)


def interval_contains(
    treated: ArmSample, control: ArmSample, difference: float, *, alpha: float
) -> bool:
    """Whether the interval contains a difference."""
    mixture = _log_mixture(treated) + _log_mixture(control)
    return _log_fit(treated, control, difference) > mixture + log(alpha)


def _log_mixture(arm: ArmSample) -> float:
    failures = arm.trials - arm.successes
    return _log_beta(PRIOR + arm.successes, PRIOR + failures) - _log_beta(PRIOR, PRIOR)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _log_fit(treated: ArmSample, control: ArmSample, difference: float) -> float:
    """Return the log likelihood of a difference, maximized over the control's rate.

    It is concave in the control's rate, so the sign of its slope guides the bisection.
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
    rise = arm.successes / rate if rate > 0 else inf * bool(arm.successes)
    fall = failures / (1 - rate) if rate < 1 else inf * bool(failures)
    return rise - fall


def _log_likelihood(arm: ArmSample, rate: float) -> float:
    return _times_log(arm.successes, rate) + _times_log(arm.trials - arm.successes, 1 - rate)


def _times_log(count: int, rate: float) -> float:
    if count == 0:
        return 0.0
    return count * log(rate) if rate > 0 else -inf


def _find_end(contains: Callable[[float], bool], *, inside: float, outside: float) -> float:
    """Find an end of the interval by bisection; the likelihood is concave, so it has no gaps."""
    if contains(outside):
        return outside
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if contains(middle) else (inside, middle)
    return outside
