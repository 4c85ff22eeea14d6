"""A trained model of churn: probabilities, and contributions that add up to them. Pure."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import expit

from app.churn.model.forest import Forest
from app.churn.model.linear import Linear
from app.churn.model.preprocessing import Floats


class ModelStage(StrEnum):
    """How far the data carries: no probability, one with a warning, one to rely on."""

    RULES = "rules"
    EXPERIMENTAL = "experimental"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's line over log-odds."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True)
class Model:
    """The log-odds of churn within ``horizon_days``: the mean of the parts, calibrated.

    ``usual``: the share that left of the rows that it learnt from.
    """

    names: tuple[str, ...]
    horizon_days: int
    parts: tuple[Linear | Forest, ...]
    calibration: Calibration = Calibration()
    stage: ModelStage = ModelStage.EXPERIMENTAL
    version: int = 0
    usual: float = 0.0

    def margin(self, x: Floats) -> Floats:
        """Compute log-odds; ``x``: rows by ``names``, nan where missing."""
        plain = np.mean([part.margin(x) for part in self.parts], axis=0)
        return np.asarray(self.calibration.slope * plain + self.calibration.intercept)

    def predict(self, x: Floats) -> Floats:
        """Compute probabilities."""
        return np.asarray(expit(self.margin(x)))

    @property
    def bias(self) -> float:
        """The log-odds that stand before any column is looked at."""
        plain = float(np.mean([part.bias for part in self.parts]))
        return self.calibration.slope * plain + self.calibration.intercept

    def contributions(self, x: Floats) -> Floats:
        """Say for each row what each column adds to the bias: together the log-odds, exactly."""
        plain = np.mean([part.contributions(x) for part in self.parts], axis=0)
        return np.asarray(self.calibration.slope * plain)
