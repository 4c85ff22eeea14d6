"""A trained churn model: probabilities, and contributions that add up to them. Pure."""

import math
from dataclasses import dataclass, replace
from typing import Self

from app.churn.model.forest import Forest
from app.churn.model.levels import MIN_PROBABILITY, ModelStage
from app.churn.model.linear import Linear
from app.core.arrays import Floats, np

Part = Linear | Forest

RANGE_SHARE = 0.8
RANGE_ERRORS = 1.2816
"""The share of cases that the range of a probability holds, and how many standard errors it is
wide to either side."""


def to_probability(log_odds: Floats) -> Floats:
    """Apply the logistic function."""
    from scipy.special import expit

    return np.asarray(expit(log_odds))


def to_log_odds(probability: float) -> float:
    """Invert the logistic function; 0 and 1 count as almost that."""
    clipped = min(max(probability, MIN_PROBABILITY), 1 - MIN_PROBABILITY)
    return math.log(clipped / (1 - clipped))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's linear calibration of log-odds."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True)
class Precision:
    """The standard errors of the level of the log-odds and of their slope; by default, unknown."""

    level_error: float = 0.5
    slope_error: float = 0.5


@dataclass(frozen=True, slots=True)
class Model:
    """The log-odds of churn within ``horizon_days``: the mean of the parts, calibrated.

    ``base_rate``: the share of the training rows that churned.
    """

    names: tuple[str, ...]
    horizon_days: int
    parts: tuple[Part, ...]
    calibration: Calibration = Calibration()
    stage: ModelStage = ModelStage.EXPERIMENTAL
    version: int = 0
    base_rate: float = 0.0
    precision: Precision = Precision()

    def margin(self, x: Floats) -> Floats:
        """Compute log-odds. ``x``: rows by ``names``, nan where missing."""
        uncalibrated = np.mean([part.margin(x) for part in self.parts], axis=0)
        return np.asarray(self.calibration.slope * uncalibrated + self.calibration.intercept)

    def predict(self, x: Floats) -> Floats:
        """Compute probabilities."""
        return to_probability(self.margin(x))

    def probability_range(self, x: Floats) -> tuple[Floats, Floats]:
        """Compute within which bounds accounts of each risk churn, in ``RANGE_SHARE`` of all cases.

        The slope is the less certain, the further the log-odds lie from those of the base rate.
        """
        log_odds = self.margin(x)
        distance = log_odds - to_log_odds(self.base_rate)
        error = np.hypot(self.precision.level_error, self.precision.slope_error * distance)
        low, high = (log_odds + sign * RANGE_ERRORS * error for sign in (-1, 1))
        return to_probability(low), to_probability(high)

    def shifted(self, offset: float, precision: Precision) -> Self:
        """Add an offset to all log-odds, and to those of the base rate."""
        calibration = replace(self.calibration, intercept=self.calibration.intercept + offset)
        base_rate = float(to_probability(np.array(to_log_odds(self.base_rate) + offset)))
        return replace(self, calibration=calibration, base_rate=base_rate, precision=precision)

    @property
    def bias(self) -> float:
        """The log-odds before the contributions of the columns are added."""
        uncalibrated = float(np.mean([part.bias for part in self.parts]))
        return self.calibration.slope * uncalibrated + self.calibration.intercept

    def contributions(self, x: Floats) -> Floats:
        """Compute what each column adds to the bias of each row.

        Bias and contributions add up exactly to the log-odds.
        """
        uncalibrated = np.mean([part.contributions(x) for part in self.parts], axis=0)
        return np.asarray(self.calibration.slope * uncalibrated)
