"""Whether a model still fits: is its input as it was, did as many leave as it said? Pure.

The population stability index of two samples is above 0 by chance alone: about (bins - 1) times
(1/n + 1/m), distributed as chi-squared. Of 100 accounts it passes the usual alarm at 0.2 by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from app.churn.model import evaluation_metrics
from app.churn.model.model import Model
from app.churn.model.panel import Panel
from app.churn.model.preprocessing import Floats, infinite_as_missing

BINS = 10
PROBABILITY = "probability"
MATERIAL_INDEX = 0.2
"""Below it, the index is small however sure it is."""
FALSE_ALARM_RATE = 0.001
CONFIDENCE = 0.99
MAX_DRIFTED_SHARE = 1 / 3
"""Of the columns; one of them moves by itself now and then."""
SMOOTHING = 0.5
"""Added to each count: an empty bin says that there are few, not that there are none."""


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """``expected``: the index by chance alone; ``alarm``: what chance passes once in a thousand."""

    name: str
    index: float
    expected: float
    alarm: float

    @property
    def drifted(self) -> bool:
        return self.index > max(self.alarm, MATERIAL_INDEX)


@dataclass(frozen=True, slots=True)
class ObservedChurn:
    """How many left of those whose time has passed since, and the interval of the ratio."""

    observed: int
    expected: float
    low: float
    high: float

    @property
    def fits(self) -> bool:
        return self.low <= 1 <= self.high


def build_profile(names: Sequence[str], x: Floats, model: Model | None) -> dict[str, Any]:
    """Describe the accounts that a model is made for by bins, to compare later ones with."""
    columns = dict(zip(names, infinite_as_missing(x).T, strict=True))
    if model is not None and len(x):
        columns[PROBABILITY] = model.predict(x)
    return {name: _bins(values) for name, values in columns.items() if len(x)}


def _bins(values: Floats) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(known, inner)) if known.size else np.empty(0)
    return {"edges": edges.tolist(), "counts": _counts(values, edges).astype(int).tolist()}


def _counts(values: Floats, edges: Sequence[float] | Floats) -> Floats:
    """Count by bin, what is missing in a bin of its own at the end."""
    missing = np.isnan(values)
    place = np.searchsorted(np.asarray(edges), values[~missing], side="left")
    counts = np.bincount(place, minlength=len(edges) + 1)
    return np.append(counts, missing.sum()).astype(float)


def column_shifts(
    stored: Mapping[str, Any], names: Sequence[str], x: Floats, p: Floats
) -> list[ColumnShift]:
    """Compare today's accounts with those that the model learnt from, column by column."""
    columns = {**dict(zip(names, infinite_as_missing(x).T, strict=True)), PROBABILITY: p}
    found = []
    for name, values in columns.items():
        if name in stored and len(values):
            before = np.asarray(stored[name]["counts"], float)
            found.append(column_shift(name, before, _counts(values, stored[name]["edges"])))
    return found


def column_shift(name: str, before: Floats, now: Floats) -> ColumnShift:
    """Compute the index of two samples that were counted by the same bins."""
    used = (before + now) > 0
    a, b = (_shares(counts[used]) for counts in (before, now))
    freedom = max(int(used.sum()) - 1, 1)
    spread = 1 / before.sum() + 1 / now.sum()
    index = float(((b - a) * np.log(b / a)).sum())
    return ColumnShift(
        name, index, freedom * spread, float(chi2.isf(FALSE_ALARM_RATE, freedom) * spread)
    )


def _shares(counts: Floats) -> Floats:
    smooth = counts + SMOOTHING
    return np.asarray(smooth / smooth.sum())


def observed_churn(model: Model, later: Panel) -> ObservedChurn | None:
    """Count who left of the accounts observed since, each by its first row, against what was said.

    Rows of one account overlap: taken all, one who left would count for several.
    """
    _, first = np.unique(later.account, return_index=True)
    rows = later.rows(np.sort(first))
    expected = float(model.predict(rows.x).sum()) if len(rows) else 0.0
    if expected <= 0:
        return None
    observed = int(rows.y.sum())
    return ObservedChurn(
        observed, expected, *evaluation_metrics.poisson_interval(observed, expected, CONFIDENCE)
    )


def reasons(found: Sequence[ColumnShift], came: ObservedChurn | None) -> list[str]:
    """Say in sentences why a model should not be relied on any more; empty: it may."""
    drifted = [each for each in found if each.drifted]
    said = []
    if came is not None and not came.fits:
        said.append(f"{came.observed} accounts left where {came.expected:.1f} were expected.")
    if any(each.name == PROBABILITY for each in drifted):
        said.append("The probabilities of all accounts have moved away from those it learnt from.")
    columns = sorted(each.name for each in drifted if each.name != PROBABILITY)
    if len(columns) > MAX_DRIFTED_SHARE * max(len(found) - 1, 1):
        said.append(f"{len(columns)} of {len(found) - 1} features have moved: {columns[0]} …")
    return said
