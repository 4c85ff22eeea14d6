"""Bring the columns of a panel into the form that a model learns from. Pure."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLIP_PERCENTILES = (0.5, 99.5)
"""Percentiles of the training rows. Beyond them a straight line would extrapolate."""


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """Which columns are kept, and how each becomes a number around 0.

    ``columns``: places in the panel, neither empty nor constant. ``low``, ``high``: what is
    clipped to. ``mean``, ``scale``: of the signed logs. ``flagged``: places in ``columns`` that
    had values missing in training; ``flag_mean``, ``flag_scale``: of being missing.
    """

    columns: NDArray[np.int64]
    low: Floats
    high: Floats
    mean: Floats
    scale: Floats
    flagged: NDArray[np.int64]
    flag_mean: Floats
    flag_scale: Floats

    @classmethod
    def of(cls, x: Floats, among: NDArray[np.int64] | None = None) -> Self:
        """Learn from training rows; ``among``: the columns that may be used, all by default."""
        columns = useful_columns(x) if among is None else among[np.isin(among, useful_columns(x))]
        kept = infinite_as_missing(x[:, columns])
        low, high = (
            np.nanpercentile(kept, CLIP_PERCENTILES, axis=0) if columns.size else np.empty((2, 0))
        )
        logs = signed_log(np.clip(kept, low, high))
        missing = np.isnan(kept)
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

    def apply(self, x: Floats) -> Floats:
        """Clip, take signed logs, standardise; what is missing is at the mean, and flagged."""
        kept = infinite_as_missing(x[:, self.columns])
        z = (signed_log(np.clip(kept, self.low, self.high)) - self.mean) / self.scale
        flags = (np.isnan(kept[:, self.flagged]) - self.flag_mean) / self.flag_scale
        return np.hstack([np.nan_to_num(z), flags])

    def by_column(self, values: Floats, width: int) -> Floats:
        """Give the values of prepared columns, flags too, to the panel's columns they are of."""
        found = np.zeros((len(values), width))
        kept = len(self.columns)
        found[:, self.columns] = values[:, :kept]
        found[:, self.columns[self.flagged]] += values[:, kept:]
        return found


def useful_columns(x: Floats) -> NDArray[np.int64]:
    """Find the columns that hold at least two different numbers."""
    known = infinite_as_missing(x)
    seen = ~np.isnan(known)
    low = np.where(seen, known, np.inf).min(axis=0, initial=np.inf)
    high = np.where(seen, known, -np.inf).max(axis=0, initial=-np.inf)
    return np.flatnonzero(low < high)


def infinite_as_missing(x: Floats) -> Floats:
    """Take what is infinite as missing."""
    return np.where(np.isfinite(x), x, np.nan)


def signed_log(x: Floats) -> Floats:
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))


def _or_one(scale: Floats) -> Floats:
    return np.where(scale > 0, scale, 1.0)
