"""The kinds of model that compete, simplest first, and the choice among them. Pure."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

from app.churn.model import evaluation_metrics
from app.churn.model.forest import Forest
from app.churn.model.linear import Linear
from app.churn.model.model import Part
from app.churn.model.panel import Fold, Panel, infinite_as_missing, latest_fold, useful_columns
from app.core.arrays import Floats, Integers, np

CORE_COLUMNS = (
    "events_84",
    "active_days_28",
    "users_28",
    "breadth_28",
    "recency",
    "tenure",
    "seat_use",
    "events_per_dollar",
    "mrr",
    "trend_events",
)

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
DEEP: Mapping[str, Any] = {"max_leaf_nodes": 31, "learning_rate": 0.1, "l2_regularization": 1.0}
MAX_ROUNDS, PATIENCE, DEFAULT_ROUNDS = 200, 10, 50


class ModelKind(StrEnum):
    """Model kinds, simplest first.

    ``small`` uses only the core columns; ``mean`` averages the two kinds before it.
    """

    SMALL = "small"
    LOGISTIC = "logistic"
    BOOSTED = "boosted"
    MEAN = "mean"
    DEEP = "deep"


KINDS_IN_MEAN = (ModelKind.LOGISTIC, ModelKind.BOOSTED)

FIT_ERRORS = (ValueError, ArithmeticError, LookupError)
"""What the libraries raise on rows that they cannot learn from."""

FitKind = Callable[..., tuple[Part, ...]]
"""``fit``, or another function with its arguments."""


def fit(
    kind: ModelKind,
    panel: Panel,
    *,
    seed: int,
    core: Sequence[str] = CORE_COLUMNS,
    bags: int = BAGS,
) -> tuple[Part, ...]:
    """Fit the parts of a model to all rows of a panel. A model averages their log-odds."""
    if kind is ModelKind.SMALL:
        return (Linear.fit(panel.x, panel.y, _core_columns(panel, core)),)
    if kind is ModelKind.MEAN:
        return tuple(part for each in KINDS_IN_MEAN for part in fit(each, panel, seed=seed))
    columns = useful_columns(panel.x)
    if kind is ModelKind.LOGISTIC or not columns.size:  # an empty column breaks scikit-learn 1.9.1
        return (Linear.fit(panel.x, panel.y),)
    x = infinite_as_missing(panel.x[:, columns])
    if kind is ModelKind.DEEP:
        return (Forest.from_bags(columns, [_fit_deep(x, panel, seed)]),)
    return (Forest.from_bags(columns, _fit_boosted(x, panel, seed, bags)),)


def _core_columns(panel: Panel, core: Sequence[str]) -> Integers:
    """Return the indices of the core columns, or of the first columns if the panel has none.

    Little data supports only a few columns.
    """
    known = [panel.names.index(name) for name in core if name in panel.names]
    return np.asarray(known or range(min(len(panel.names), len(core))), np.int64)


def _fit_boosted(x: Floats, panel: Panel, seed: int, count: int) -> list[Any]:
    """Fit bags of shallow trees to all rows.

    The columns that each split may use are drawn, so the bags differ. Accounts are not: models
    that leave accounts out were worse on every data set of the benchmark.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    make = partial(HistGradientBoostingClassifier, **SHALLOW)
    return [make(random_state=seed + n).fit(x, panel.y) for n in range(count)]


def _fit_deep(x: Floats, panel: Panel, seed: int) -> Any:  # noqa: ANN401 - a classifier
    """Fit deeper trees with as many rounds as improve the loss on later dates."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    make = partial(HistGradientBoostingClassifier, **DEEP, random_state=seed)
    rounds, fold = DEFAULT_ROUNDS, latest_fold(panel, seed)
    if fold is not None:
        train, test = fold.train, fold.test
        classifier = make(max_iter=MAX_ROUNDS, early_stopping=True, n_iter_no_change=PATIENCE)
        known = _unknown_as_constant(x[train])
        classifier.fit(known, panel.y[train], X_val=x[test], y_val=panel.y[test])
        rounds = max(int(np.argmax(classifier.validation_score_)), 1)
    return make(max_iter=rounds, early_stopping=False).fit(x, panel.y)


def _unknown_as_constant(x: Floats) -> Floats:
    """Replace columns without a known value: they break scikit-learn 1.9.1, constants do not.

    No tree splits on a constant, so values that other rows have do not count either.
    """
    is_unknown = np.isnan(x).all(axis=0)
    return np.where(is_unknown, 0.0, x) if is_unknown.any() else x


def unseen_margins(
    kinds: Sequence[ModelKind],
    panel: Panel,
    folds: Sequence[Fold],
    *,
    seed: int,
    fit_kind: FitKind = fit,
) -> tuple[dict[ModelKind, Floats], dict[ModelKind, str]]:
    """Compute the log-odds that each kind predicts for the test rows, fold after fold.

    Returns them by kind, and the errors of the kinds that could not be fitted.
    """
    margins: dict[ModelKind, Floats] = {}
    errors: dict[ModelKind, str] = {}
    for kind in kinds:
        if kind is ModelKind.MEAN:
            continue
        by_fold = []
        try:
            for fold in folds:
                train, test = panel.rows(fold.train), panel.rows(fold.test)
                (part,) = fit_kind(kind, train, seed=seed, bags=BAGS_IN_EVALUATION)
                by_fold.append(part.margin(test.x))
        except FIT_ERRORS as error:
            errors[kind] = str(error)
        else:
            margins[kind] = np.concatenate(by_fold)
    if ModelKind.MEAN in kinds and margins.keys() >= set(KINDS_IN_MEAN):
        margins[ModelKind.MEAN] = np.mean([margins[kind] for kind in KINDS_IN_MEAN], axis=0)
    return margins, errors


def choose_kind(loss: Mapping[ModelKind, Floats], account: Integers) -> ModelKind:
    """Choose the simplest kind whose mean loss is within one standard error of the lowest.

    ``loss``: the log loss of each row. ``account``: the account of each row.
    """
    best = min(loss, key=lambda kind: float(loss[kind].mean()))
    excess = {kind: loss[kind] - loss[best] for kind in ModelKind if kind in loss}
    return next(
        kind
        for kind, each in excess.items()
        if each.mean() <= evaluation_metrics.standard_error(each, account)
    )
