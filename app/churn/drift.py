"""Whether a model still fits: is its input as it was, did as many leave as it said? Pure.

The population stability index of two samples is above 0 by chance alone: about (bins - 1) times
(1/n + 1/m), distributed as chi-squared. Of 100 accounts it passes the usual alarm at 0.2 by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from app.churn import measuring
from app.churn.model import Model
from app.churn.panel import Panel
from app.churn.preparing import Floats, finite

BINS = 10
SCORE = "probability"
MATERIAL = 0.2
"""Below it, the index is small however sure it is."""
CHANCE = 0.001
SURE = 0.99
MOST_SHARE = 1 / 3
"""Of the columns; one of them moves by itself now and then."""
SMOOTHED_BY = 0.5
"""Added to each count: an empty bin says that there are few, not that there are none."""


@dataclass(frozen=True, slots=True)
class Shift:
    """``expected``: the index by chance alone; ``alarm``: what chance passes once in a thousand."""

    name: str
    index: float
    expected: float
    alarm: float

    @property
    def drifted(self) -> bool:
        return self.index > max(self.alarm, MATERIAL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many left of those whose time has passed since, and the interval of the ratio."""

    observed: int
    expected: float
    low: float
    high: float

    @property
    def fits(self) -> bool:
        return self.low <= 1 <= self.high


def profile(names: Sequence[str], x: Floats, model: Model | None) -> dict[str, Any]:
    """Describe the accounts that a model is made for by bins, to compare later ones with."""
    columns = dict(zip(names, finite(x).T, strict=True))
    if model is not None and len(x):
        columns[SCORE] = model.predict(x)
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


def shifts(stored: Mapping[str, Any], names: Sequence[str], x: Floats, p: Floats) -> list[Shift]:
    """Compare today's accounts with those that the model learnt from, column by column."""
    columns = {**dict(zip(names, finite(x).T, strict=True)), SCORE: p}
    found = []
    for name, values in columns.items():
        if name in stored and len(values):
            before = np.asarray(stored[name]["counts"], float)
            found.append(shift(name, before, _counts(values, stored[name]["edges"])))
    return found


def shift(name: str, before: Floats, now: Floats) -> Shift:
    """Compute the index of two samples that were counted by the same bins."""
    used = (before + now) > 0
    a, b = (_shares(counts[used]) for counts in (before, now))
    freedom = max(int(used.sum()) - 1, 1)
    spread = 1 / before.sum() + 1 / now.sum()
    index = float(((b - a) * np.log(b / a)).sum())
    return Shift(name, index, freedom * spread, float(chi2.isf(CHANCE, freedom) * spread))


def _shares(counts: Floats) -> Floats:
    smooth = counts + SMOOTHED_BY
    return np.asarray(smooth / smooth.sum())


def outcome(model: Model, later: Panel) -> Outcome | None:
    """Count who left of the accounts observed since, each by its first row, against what was said.

    Rows of one account overlap: taken all, one who left would count for several.
    """
    _, first = np.unique(later.account, return_index=True)
    rows = later.rows(np.sort(first))
    expected = float(model.predict(rows.x).sum()) if len(rows) else 0.0
    if expected <= 0:
        return None
    observed = int(rows.y.sum())
    return Outcome(observed, expected, *measuring.poisson_interval(observed, expected, SURE))


def reasons(found: Sequence[Shift], came: Outcome | None) -> list[str]:
    """Say in sentences why a model should not be relied on any more; empty: it may."""
    drifted = [each for each in found if each.drifted]
    said = []
    if came is not None and not came.fits:
        said.append(f"{came.observed} accounts left where {came.expected:.1f} were expected.")
    if any(each.name == SCORE for each in drifted):
        said.append("The probabilities of all accounts have moved away from those it learnt from.")
    columns = sorted(each.name for each in drifted if each.name != SCORE)
    if len(columns) > MOST_SHARE * max(len(found) - 1, 1):
        said.append(f"{len(columns)} of {len(found) - 1} features have moved: {columns[0]} …")
    return said
