"""Compare the trained churn model with a simple reference on the same unseen rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from app.churn.model import evaluation_metrics
from app.churn.model.panel import Fold, Panel, infinite_as_missing
from app.churn.model.training import train
from app.core.arrays import Floats
from bench.results import Result

SEED = 1337
SLOPE_RANGE = (0.7, 1.4)
COUNT_COLUMNS = re.compile(r"(events|active_days|users|breadth)_\d|recency|tenure$|mrr$|seats$")
STRONG_PENALTY = 0.01
"""Of the reference: the penalty that suits the plain counts best."""


def compare_with_bounds(
    name: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    *,
    compared: str = "",
    unit: str = "",
    exact: bool = False,
) -> Result:
    """Return a result that is met if the value lies within its bounds."""
    bounds = [f"{sign} {bound:g}{unit}" for sign, bound in (("≥", low), ("≤", high)) if bound]
    met = bool((low or -np.inf) <= value <= (high or np.inf))
    digits = 3 if abs(value) < 10 else 0  # noqa: PLR2004 - shares and seconds
    measured = f"{value:.{digits}f}{unit}"
    return Result(name, value, measured, compared, ", ".join(bounds), met, exact=exact)


def mean_log_loss(y: Floats, p: Floats) -> float:
    return float(evaluation_metrics.log_losses(y, p).mean())


METRICS: Mapping[str, Callable[[Floats, Floats], float]] = {
    "AUC": lambda y, p: evaluation_metrics.auc(y, p) or 0,
    "lift of the top 10 %": lambda y, p: evaluation_metrics.lift(y, p) or 0,
    "log loss": mean_log_loss,
}


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Predictions for unseen rows: ``p`` of the service's model, ``ridge`` of the reference.

    The reference is a ridge regression on the logs of counts. ``kinds``: the chosen model kinds.
    """

    y: Floats
    p: Floats
    ridge: Floats
    account: NDArray[np.int64]
    kinds: Sequence[str]

    @classmethod
    def over_folds(cls, panel: Panel, folds: Sequence[Fold]) -> "ModelComparison":
        """Train on each fold and join the predictions for the test rows of all folds."""
        parts = [_compare(panel, fold) for fold in folds]
        return cls(
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.p for part in parts]),
            np.concatenate([part.ridge for part in parts]),
            np.concatenate([part.account for part in parts]),
            sorted({kind for part in parts for kind in part.kinds}),
        )

    @property
    def kind_names(self) -> str:
        return "/".join(self.kinds)

    def metric_result(
        self, name: str, metric: str, low: float | None = None, high: float | None = None
    ) -> Result:
        ours, reference = (METRICS[metric](self.y, p) for p in (self.p, self.ridge))
        compared = f"ridge {reference:.3f}"
        return compare_with_bounds(f"{name}: {metric}", ours, low, high, compared=compared)

    def loss_difference_result(self, name: str) -> Result:
        """Compare the log losses row by row; a negative difference is better than the ridge."""
        ours, reference = (evaluation_metrics.log_losses(self.y, p) for p in (self.p, self.ridge))
        difference = ours - reference
        drawn = evaluation_metrics.bootstrap_means(difference, self.account, SEED)
        low, high = np.percentile(drawn, [2.5, 97.5])
        mean = float(difference.mean())
        return Result(
            f"{name}: log loss minus the ridge's",
            mean,
            f"{mean:+.4f} ({low:+.4f} to {high:+.4f})",
            "",
            "not worse",
            bool(low <= 0),
        )

    def calibration_results(self, name: str) -> list[Result]:
        drawn = evaluation_metrics.bootstrap_rows(self.account, SEED)
        ratio = evaluation_metrics.estimate_metric(
            evaluation_metrics.observed_over_expected, self.y, self.p, drawn
        )
        low, high = ratio.low or 0, ratio.high or 0
        slope = evaluation_metrics.calibration_slope(self.y, self.p) or 0
        return [
            Result(
                f"{name}: observed/expected",
                ratio.value or 0,
                f"{ratio.value or 0:.2f} ({low:.2f} to {high:.2f})",
                "",
                "the interval contains 1",
                low <= 1 <= high,
            ),
            compare_with_bounds(f"{name}: calibration slope", slope, *SLOPE_RANGE),
        ]


def _compare(panel: Panel, fold: Fold) -> ModelComparison:
    train_rows, test_rows = panel.rows(fold.train), panel.rows(fold.test)
    trained = train(train_rows, seed=SEED)
    if trained.model is None or trained.kind is None:
        raise RuntimeError(f"No model was trained: {trained.reason}")
    return ModelComparison(
        test_rows.y,
        trained.model.predict(test_rows.x),
        _predict_with_ridge(train_rows, test_rows),
        test_rows.account,
        [trained.kind],
    )


def _predict_with_ridge(train_rows: Panel, test_rows: Panel) -> Floats:
    """Predict from the logs of plain counts; of a plain table, from all columns."""
    is_ours = "events_84" in train_rows.names
    columns = [
        n for n, name in enumerate(train_rows.names) if not is_ours or COUNT_COLUMNS.match(name)
    ]
    logs = [
        np.nan_to_num(np.log1p(np.abs(infinite_as_missing(rows.x[:, columns]))))
        for rows in (train_rows, test_rows)
    ]
    scaler = StandardScaler().fit(logs[0])
    ridge = LogisticRegression(C=STRONG_PENALTY, max_iter=2000)
    ridge.fit(scaler.transform(logs[0]), train_rows.y)
    return np.asarray(ridge.predict_proba(scaler.transform(logs[1]))[:, 1])
