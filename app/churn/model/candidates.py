"""The kinds of model that compete, the simplest first, and which of them wins. Pure."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from app.churn.model import evaluation_metrics, splits
from app.churn.model.forest import Forest
from app.churn.model.linear import Linear
from app.churn.model.panel import Panel
from app.churn.model.preprocessing import Floats, infinite_as_missing, useful_columns
from app.churn.model.splits import Fold

BAGS, BAGS_IN_EVALUATION = 5, 2
SHALLOW: Mapping[str, Any] = {
    "max_depth": 3,
    "max_iter": 120,
    "learning_rate": 0.05,
    "l2_regularization": 5.0,
    "max_features": 0.3,
    "max_bins": 63,
    "early_stopping": False,
}
DEEP: Mapping[str, Any] = {"max_leaf_nodes": 31, "learning_rate": 0.05, "l2_regularization": 1.0}
MAX_ROUNDS, PATIENCE, DEFAULT_ROUNDS = 400, 20, 100

Part = Linear | Forest


class ModelKind(StrEnum):
    """The simplest first. ``small`` knows only a few columns; ``mean`` is of the two before it."""

    SMALL = "small"
    LOGISTIC = "logistic"
    BOOSTED = "boosted"
    MEAN = "mean"
    DEEP = "deep"


KINDS_IN_MEAN = (ModelKind.LOGISTIC, ModelKind.BOOSTED)


def fit(kind: ModelKind, panel: Panel, *, core: Sequence[str], seed: int) -> tuple[Part, ...]:
    """Learn from all rows of a panel. The log-odds of the parts are averaged."""
    match kind:
        case ModelKind.SMALL:
            return (Linear.fit(panel.x, panel.y, core_columns(panel, core)),)
        case ModelKind.LOGISTIC:
            return (Linear.fit(panel.x, panel.y),)
        case ModelKind.BOOSTED:
            return (fit_boosted(panel, seed),)
        case ModelKind.MEAN:
            return tuple(
                part for each in KINDS_IN_MEAN for part in fit(each, panel, core=core, seed=seed)
            )
        case ModelKind.DEEP:
            return (fit_deep(panel, seed),)


def core_columns(panel: Panel, core: Sequence[str]) -> NDArray[np.int64]:
    """Find the few columns that little data can teach of; the first ones where none are named."""
    known = [panel.names.index(name) for name in core if name in panel.names]
    return np.asarray(known or range(min(len(panel.names), len(core))), np.int64)


def fit_boosted(panel: Panel, seed: int, count: int = BAGS) -> Part:
    """Grow shallow trees on draws of the accounts."""
    columns = useful_columns(panel.x)
    if not columns.size:
        return Linear.fit(panel.x, panel.y)  # an empty column breaks scikit-learn 1.9.1
    x = infinite_as_missing(panel.x[:, columns])
    accounts, of = np.unique(panel.account, return_inverse=True)
    random = np.random.default_rng(seed)
    bags: list[HistGradientBoostingClassifier] = []
    while len(bags) < count:
        drawn = np.bincount(
            random.integers(len(accounts), size=len(accounts)), minlength=len(accounts)
        )
        weight = drawn[of].astype(np.float64)
        rows = weight > 0
        if np.ptp(panel.y[rows]):
            grown = HistGradientBoostingClassifier(**SHALLOW, random_state=seed)
            bags.append(grown.fit(x[rows], panel.y[rows], sample_weight=weight[rows]))
    return Forest.of(columns, bags)


def fit_deep(panel: Panel, seed: int) -> Part:
    """Grow deeper trees, as many rounds as help on later dates."""
    columns = useful_columns(panel.x)
    if not columns.size:
        return Linear.fit(panel.x, panel.y)
    x = infinite_as_missing(panel.x[:, columns])
    grower = partial(HistGradientBoostingClassifier, **DEEP, random_state=seed)
    grown = grower(max_iter=_rounds(grower, x, panel, seed), early_stopping=False)
    return Forest.of(columns, [grown.fit(x, panel.y)])


def _rounds(grower: Callable[..., Any], x: Floats, panel: Panel, seed: int) -> int:
    aside = splits.latest(panel, seed)
    if aside is None:
        return DEFAULT_ROUNDS
    learn, judge = aside.train, aside.test
    tried = grower(max_iter=MAX_ROUNDS, early_stopping=True, n_iter_no_change=PATIENCE).fit(
        x[learn], panel.y[learn], X_val=x[judge], y_val=panel.y[judge]
    )
    return max(int(np.argmax(tried.validation_score_)), 1)


def unseen_margins(
    kinds: Sequence[ModelKind],
    panel: Panel,
    folds: Sequence[Fold],
    *,
    core: Sequence[str],
    seed: int,
) -> dict[ModelKind, Floats]:
    """Compute the log-odds that each kind gives to the folds' test rows, fold after fold."""
    apart = [kind for kind in kinds if kind is not ModelKind.MEAN]
    found: dict[ModelKind, list[Floats]] = {kind: [] for kind in apart}
    for fold in folds:
        train, test = panel.rows(fold.train), panel.rows(fold.test)
        for kind in apart:
            if kind is ModelKind.BOOSTED:
                part = fit_boosted(train, seed, BAGS_IN_EVALUATION)
            else:
                (part,) = fit(kind, train, core=core, seed=seed)
            found[kind].append(part.margin(test.x))
    margins = {kind: np.concatenate(each) for kind, each in found.items()}
    if ModelKind.MEAN in kinds:
        margins[ModelKind.MEAN] = np.mean([margins[kind] for kind in KINDS_IN_MEAN], axis=0)
    return margins


def choose_kind(loss: Mapping[ModelKind, Floats], account: NDArray[np.int64]) -> ModelKind:
    """Take the simplest kind whose loss is within one standard error of the best one's."""
    best = min(loss, key=lambda kind: float(loss[kind].mean()))
    for kind in ModelKind:
        if kind in loss:
            worse = loss[kind] - loss[best]
            if worse.mean() <= evaluation_metrics.standard_error(worse, account):
                return kind
    return best
