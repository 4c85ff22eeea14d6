"""Other libraries on the same rows and columns, where they are installed.

They are no dependencies: ``pip install lightgbm xgboost-cpu catboost interpret-core``.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from app.churn.model import evaluation_metrics
from app.churn.model.panel import Fold, Panel, infinite_as_missing, useful_columns
from app.core.arrays import Floats
from bench.model_comparison import METRICS, SEED, ModelComparison
from bench.results import Result

SHARED: Mapping[str, Any] = {"n_estimators": 300, "learning_rate": 0.03, "subsample": 0.8}
COLUMNS: Mapping[str, Any] = {"colsample_bytree": 0.5, "reg_lambda": 5, "n_jobs": 1}


def _lightgbm() -> Any:  # noqa: ANN401 - a classifier
    shape = {"num_leaves": 15, "min_child_samples": 30, "subsample_freq": 1, "verbose": -1}
    return import_module("lightgbm").LGBMClassifier(**SHARED, **COLUMNS, **shape, random_state=SEED)


def _xgboost() -> Any:  # noqa: ANN401 - a classifier
    shape = {"max_depth": 3, "min_child_weight": 5}
    return import_module("xgboost").XGBClassifier(**SHARED, **COLUMNS, **shape, random_state=SEED)


def _catboost() -> Any:  # noqa: ANN401 - a classifier
    shape = {"iterations": 400, "learning_rate": 0.04, "depth": 5, "l2_leaf_reg": 5}
    quiet = {"verbose": 0, "thread_count": 1, "allow_writing_files": False}
    return import_module("catboost").CatBoostClassifier(**shape, **quiet, random_seed=SEED)


def _interpret() -> Any:  # noqa: ANN401 - a classifier
    make = import_module("interpret.glassbox").ExplainableBoostingClassifier
    return make(outer_bags=4, interactions=5, n_jobs=1, random_state=SEED)


MAKERS: Mapping[str, Callable[[], Any]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "interpret": _interpret,
}


def measure_references(
    name: str, panel: Panel, fold: Fold, comparison: ModelComparison
) -> list[Result]:
    """Compare log loss and AUC with each library that is installed, account by account."""
    installed = [each for each in MAKERS if find_spec(each)]
    train, test = panel.rows(fold.train), panel.rows(fold.test)
    columns = useful_columns(train.x)
    train_x, test_x = (infinite_as_missing(rows.x[:, columns]) for rows in (train, test))
    results = []
    for each in installed:
        reference = MAKERS[each]().fit(train_x, train.y).predict_proba(test_x)[:, 1]
        results.append(_compare(f"{name}: log loss minus that of {each}", comparison, reference))
    return results


def _compare(name: str, comparison: ModelComparison, reference: Floats) -> Result:
    y = comparison.y
    difference = evaluation_metrics.log_losses(y, comparison.p)
    difference -= evaluation_metrics.log_losses(y, reference)
    drawn = evaluation_metrics.bootstrap_means(difference, comparison.account, SEED)
    low, high = np.percentile(drawn, [2.5, 97.5])
    mean, auc = float(difference.mean()), METRICS["AUC"](y, reference)
    measured = f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"
    return Result(name, mean, measured, f"its AUC {auc:.3f}", "better", bool(high < 0))
