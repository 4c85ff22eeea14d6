"""Ridge logistic regression. Its log-odds are a sum over the columns. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from app.churn.model.panel import infinite_as_missing, useful_columns
from app.core.arrays import Floats, Integers, np

RIDGE_C = 0.1
CLIP_PERCENTILES = (0.5, 99.5)
"""Percentiles of the training rows. Beyond them a linear model would extrapolate."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Clips columns, takes signed logs, and standardises them with missing-value flags.

    ``columns``: indices in the panel of columns that are neither empty nor constant. ``low``,
    ``high``: the clipping bounds. ``mean``, ``scale``: of the signed logs. ``flagged``: indices in
    ``columns`` of columns with missing values in training; ``flag_mean``, ``flag_scale``: of
    their flags.
    """

    columns: Integers
    low: Floats
    high: Floats
    mean: Floats
    scale: Floats
    flagged: Integers
    flag_mean: Floats
    flag_scale: Floats

    @classmethod
    def fit(cls, x: Floats, among: Integers | None = None) -> Self:
        """Fit to training rows. ``among``: the columns that may be used, all by default."""
        columns = useful_columns(x) if among is None else among[np.isin(among, useful_columns(x))]
        values = infinite_as_missing(x[:, columns])
        low, high = (
            np.nanpercentile(values, CLIP_PERCENTILES, axis=0) if columns.size else np.empty((2, 0))
        )
        logs = _signed_log(np.clip(values, low, high))
        missing = np.isnan(values)
        flagged = np.flatnonzero(missing.any(axis=0))
        flags = missing[:, flagged].astype(float)
        return cls(
            columns,
            low,
            high,
            np.nanmean(logs, axis=0) if columns.size else np.empty(0),
            _or_one(np.nanstd(logs, axis=0)) if columns.size else np.empty(0),
            flagged,
            flags.mean(axis=0),
            _or_one(flags.std(axis=0)),
        )

    def transform(self, x: Floats) -> Floats:
        """Clip, take signed logs and standardise. A missing value becomes the mean, and a flag."""
        values = infinite_as_missing(x[:, self.columns])
        z = _signed_log(np.clip(values, self.low, self.high))
        z -= self.mean
        z /= self.scale
        flags = (np.isnan(values[:, self.flagged]) - self.flag_mean) / self.flag_scale
        return np.hstack([np.nan_to_num(z, copy=False), flags])

    def sum_by_column(self, values: Floats, width: int) -> Floats:
        """Map values of transformed columns back to the panel's ``width`` columns.

        The value of a flag is added to the column it belongs to.
        """
        by_column = np.zeros((len(values), width))
        count = len(self.columns)
        by_column[:, self.columns] = values[:, :count]
        by_column[:, self.columns[self.flagged]] += values[:, count:]
        return by_column


def _signed_log(x: Floats) -> Floats:
    logs = np.abs(x)
    np.log1p(logs, out=logs)
    return np.copysign(logs, x, out=logs)


def _or_one(scale: Floats) -> Floats:
    return np.where(scale > 0, scale, 1.0)


@dataclass(frozen=True, slots=True)
class Linear:
    """``coefficients``: of the prepared columns. ``bias``: log-odds of a row of their means.

    The field names, also those of the preparation, are stored in artifacts.
    """

    preparation: Preparation
    coefficients: Floats
    bias: float

    @classmethod
    def fit(cls, x: Floats, y: Floats, among: Integers | None = None) -> Self:
        """Fit to training rows. ``y`` must contain both outcomes.

        ``among``: the columns that may be used, all by default. Without a useful column the model
        is the base rate.
        """
        preparation = Preparation.fit(x, among)
        if not preparation.columns.size:
            share = float(y.mean())
            return cls(preparation, np.empty(0), float(np.log(share / (1 - share))))
        from sklearn.linear_model import LogisticRegression

        fitted = LogisticRegression(C=RIDGE_C, max_iter=1000).fit(preparation.transform(x), y)
        return cls(preparation, fitted.coef_[0], float(fitted.intercept_[0]))

    def margin(self, x: Floats) -> Floats:
        """Compute log-odds."""
        return self.preparation.transform(x) @ self.coefficients + self.bias

    def contributions(self, x: Floats) -> Floats:
        """Split the log-odds minus the bias into columns: coefficient times distance from mean."""
        parts = self.preparation.transform(x) * self.coefficients
        return self.preparation.sum_by_column(parts, x.shape[1])

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        indices = {"columns", "flagged"}
        preparation: dict[str, Any] = {
            name: np.asarray(values, np.int64 if name in indices else np.float64)
            for name, values in stored["preparation"].items()
        }
        coefficients = np.asarray(stored["coefficients"], np.float64)
        return cls(Preparation(**preparation), coefficients, stored["bias"])
