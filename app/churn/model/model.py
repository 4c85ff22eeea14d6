"""A trained churn model: probabilities, and contributions that add up to them. Pure."""

from dataclasses import dataclass

from app.churn.model.forest import Forest
from app.churn.model.levels import ModelStage
from app.churn.model.linear import Linear
from app.core.arrays import Floats, np

Part = Linear | Forest


def to_probability(log_odds: Floats) -> Floats:
    """Apply the logistic function."""
    from scipy.special import expit

    return np.asarray(expit(log_odds))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's linear calibration of log-odds."""

    slope: float = 1.0
    intercept: float = 0.0


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

    def margin(self, x: Floats) -> Floats:
        """Compute log-odds. ``x``: rows by ``names``, nan where missing."""
        uncalibrated = np.mean([part.margin(x) for part in self.parts], axis=0)
        return np.asarray(self.calibration.slope * uncalibrated + self.calibration.intercept)

    def predict(self, x: Floats) -> Floats:
        """Compute probabilities."""
        return to_probability(self.margin(x))

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
