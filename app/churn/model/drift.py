"""Whether the active model still fits: has its input moved, did as many accounts churn? Pure.

The population stability index of two samples is above 0 by chance alone: about (bins - 1) times
(1/n + 1/m), distributed as chi-squared. With 100 accounts chance alone passes the usual alarm of
0.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.churn.model import evaluation_metrics
from app.churn.model.intervals import poisson_interval
from app.churn.model.model import Model
from app.churn.model.panel import Panel, infinite_as_missing
from app.core.arrays import Floats, np

BINS = 10
PROBABILITY = "probability"
"""The name under which a profile stores the predicted probabilities."""
MATERIAL_INDEX = 0.2
"""A lower index is too small to matter, however certain it is."""
FALSE_ALARM_RATE = 0.001
CONFIDENCE = 0.99
MAX_DRIFTED_SHARE = 1 / 3
"""A larger share of drifted columns is a reason to degrade; single columns move by themselves."""
SMOOTHING = 0.5
"""Added to each count, because an empty bin means few accounts, not none."""


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """The stability index of a column.

    ``expected``: the index that chance alone gives on average. ``alarm``: the index that chance
    alone exceeds once in a thousand.
    """

    name: str
    index: float
    expected: float
    alarm: float

    @property
    def drifted(self) -> bool:
        return self.index > max(self.alarm, MATERIAL_INDEX)


@dataclass(frozen=True, slots=True)
class ObservedChurn:
    """Churned accounts beside the number expected; ``low`` and ``high`` bound their ratio."""

    observed: int
    expected: float
    low: float
    high: float

    @property
    def fits(self) -> bool:
        return self.low <= 1 <= self.high


def build_profile(names: Sequence[str], x: Floats, model: Model | None) -> dict[str, Any]:
    """Describe today's accounts by bins of each column, to compare later accounts with."""
    columns = dict(zip(names, infinite_as_missing(x).T, strict=True))
    if model is not None and len(x):
        columns[PROBABILITY] = model.predict(x)
    return {name: _bin(values) for name, values in columns.items() if len(x)}


def _bin(values: Floats) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(known, inner)) if known.size else np.empty(0)
    return {"edges": edges.tolist(), "counts": _count(values, edges).astype(int).tolist()}


def _count(values: Floats, edges: Sequence[float] | Floats) -> Floats:
    """Count the values in each bin. The last bin counts missing values."""
    missing = np.isnan(values)
    bins = np.searchsorted(np.asarray(edges), values[~missing], side="left")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return np.append(counts, missing.sum()).astype(float)


def column_shifts(
    profile: Mapping[str, Any], names: Sequence[str], x: Floats, p: Floats
) -> list[ColumnShift]:
    """Compare today's accounts with the profile of a model, column by column.

    ``x``: rows by ``names``. ``p``: the probabilities that the model predicts for these rows.
    """
    columns = {**dict(zip(names, infinite_as_missing(x).T, strict=True)), PROBABILITY: p}
    return [
        column_shift(
            name,
            np.asarray(profile[name]["counts"], float),
            _count(values, profile[name]["edges"]),
        )
        for name, values in columns.items()
        if name in profile and len(values)
    ]


def column_shift(name: str, before: Floats, now: Floats) -> ColumnShift:
    """Compute the stability index of two samples counted in the same bins."""
    used = (before + now) > 0
    a, b = (smooth / smooth.sum() for smooth in (before[used] + SMOOTHING, now[used] + SMOOTHING))
    freedom = max(int(used.sum()) - 1, 1)
    spread = 1 / before.sum() + 1 / now.sum()
    index = float(((b - a) * np.log(b / a)).sum())
    from scipy.stats import chi2

    alarm = float(chi2.isf(FALSE_ALARM_RATE, freedom) * spread)
    return ColumnShift(name, index, freedom * spread, alarm)


def observed_churn(model: Model, later: Panel) -> ObservedChurn | None:
    """Compare how many accounts churned since a model's data ended with how many it expected.

    Only the first row of each account counts: rows of one account overlap, and a churned account
    would otherwise count several times. None: there are no such rows.
    """
    _, first = np.unique(later.account, return_index=True)
    rows = later.rows(np.sort(first))
    expected = float(model.predict(rows.x).sum()) if len(rows) else 0.0
    if expected <= 0:
        return None
    observed = int(rows.y.sum())
    interval = poisson_interval(observed, expected, CONFIDENCE)
    return ObservedChurn(observed, expected, *interval)


def is_worse_than_base_rate(model: Model, later: Panel, *, seed: int) -> bool:
    """Whether the base rate of a model's training predicts the rows since then better.

    It does if its log loss is lower in nearly all draws of the accounts. ``later``: the rows whose
    outcomes have become known since the model's data ended.
    """
    if not len(later):
        return False
    losses, of_base_rate = (
        evaluation_metrics.log_losses(later.y, p)
        for p in (model.predict(later.x), np.full(len(later), model.base_rate))
    )
    excess = evaluation_metrics.bootstrap_means(losses - of_base_rate, later.account, seed)
    return bool((excess > 0).mean() > CONFIDENCE)


def reasons(
    shifts: Sequence[ColumnShift], churn: ObservedChurn | None, *, is_worse: bool = False
) -> list[str]:
    """Return, as sentences, why a model should no longer be relied on. Empty: it may be.

    ``is_worse``: than the base rate, on the rows since its data ended.
    """
    drifted = [each for each in shifts if each.drifted]
    sentences = []
    if churn is not None and not churn.fits:
        sentences.append(
            f"{churn.observed} accounts left where {churn.expected:.1f} were expected."
        )
    if is_worse:
        sentences.append("Since its data ended the base rate alone has predicted churn better.")
    if any(each.name == PROBABILITY for each in drifted):
        sentences.append(
            "The probabilities of all accounts have moved away from those it learnt from."
        )
    columns = sorted(each.name for each in drifted if each.name != PROBABILITY)
    features = len(shifts) - 1
    if len(columns) > MAX_DRIFTED_SHARE * max(features, 1):
        sentences.append(f"{len(columns)} of {features} features have moved: {columns[0]} …")
    return sentences
