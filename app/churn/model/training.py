"""Train on a panel: judge the candidates on unseen time, choose, calibrate, fit, tell. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from app.churn.model import evaluation_metrics, splits
from app.churn.model.candidates import ModelKind, choose_kind, fit, unseen_margins
from app.churn.model.linear import Linear
from app.churn.model.model import Calibration, Model
from app.churn.model.panel import Panel
from app.churn.model.preprocessing import Floats
from app.churn.model.splits import Fold

MIN_CHURNED = 8
SMALL_MODEL_MAX_CHURNED = 50
"""Churned accounts: below the first rules, up to the second the small model."""

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
RECENCY_COLUMN = "recency"

ReportProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UnseenPredictions:
    """What was said about rows that nobody had learnt from, beside what came of them.

    ``later``: they lie after what was learnt, else they are of other accounts only.
    """

    y: Floats
    p: Floats
    base: Floats
    recency: Floats
    account: NDArray[np.int64]
    day: NDArray[np.int64]
    is_later: bool
    places: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    model: Model | None
    kind: ModelKind | None
    unseen: UnseenPredictions | None
    losses: dict[str, float]
    why: str = ""


def train(
    panel: Panel,
    *,
    seed: int,
    core: Sequence[str] = CORE_COLUMNS,
    recency: str = RECENCY_COLUMN,
    progress: ReportProgress = lambda _: None,
) -> TrainingResult:
    """Make the model that the data carries, or none. Treated rows teach nothing."""
    panel = panel.rows(~panel.treated)
    churned = panel.churned_accounts
    if churned < MIN_CHURNED or panel.y.all():
        return TrainingResult(
            None, None, None, {}, f"{churned} accounts have churned, 8 are needed."
        )
    kinds = (ModelKind.SMALL,) if churned <= SMALL_MODEL_MAX_CHURNED else tuple(ModelKind)[1:]
    folds, later = _folds(panel, seed)
    if not folds:
        return _untested(panel, core, seed)
    progress("judging")
    margins = unseen_margins(kinds, panel, folds, core=core, seed=seed)
    test = panel.rows(np.concatenate([fold.test for fold in folds]))
    loss = {kind: evaluation_metrics.log_losses(test.y, expit(margins[kind])) for kind in kinds}
    kind = choose_kind(loss, test.account)
    calibrated, calibration = _calibrate(test.y, margins[kind], folds)
    unseen = UnseenPredictions(
        test.y,
        expit(calibrated),
        np.concatenate([np.full(len(f.test), panel.y[f.train].mean()) for f in folds]),
        _by_recency(panel, folds, recency),
        test.account,
        test.day,
        later,
        np.concatenate([fold.test for fold in folds]),
    )
    progress("fitting")
    parts = fit(kind, panel, core=core, seed=seed)
    model = Model(panel.names, panel.horizon_days, parts, calibration)
    return TrainingResult(model, kind, unseen, {each: float(loss[each].mean()) for each in loss})


def _untested(panel: Panel, core: Sequence[str], seed: int) -> TrainingResult:
    parts = fit(ModelKind.SMALL, panel, core=core, seed=seed)
    model = Model(panel.names, panel.horizon_days, parts)
    return TrainingResult(
        model, ModelKind.SMALL, None, {}, "There is nothing unseen to judge it by."
    )


def _folds(panel: Panel, seed: int) -> tuple[list[Fold], bool]:
    rolling = splits.rolling(panel)
    return (rolling, True) if rolling else (splits.grouped(panel, seed), False)


def _by_recency(panel: Panel, folds: Sequence[Fold], name: str) -> Floats:
    """Predict from the days since the last use alone; without them from the base rate."""
    among = np.asarray([n for n, each in enumerate(panel.names) if each == name], np.int64)
    return np.concatenate(
        [
            expit(Linear.fit(panel.x[f.train], panel.y[f.train], among).margin(panel.x[f.test]))
            for f in folds
        ]
    )


def _calibrate(y: Floats, margin: Floats, folds: Sequence[Fold]) -> tuple[Floats, Calibration]:
    """Calibrate each fold by those before it; keep it only if that lowers the loss."""
    ends = np.cumsum([len(fold.test) for fold in folds])
    tried = margin.copy()
    for start, end in pairwise(ends):
        if 0 < y[:start].mean() < 1:
            slope, intercept = evaluation_metrics.fit_platt(y[:start], margin[:start])
            if slope > 0:
                tried[start:end] = slope * margin[start:end] + intercept
    better = (
        evaluation_metrics.log_losses(y, expit(tried)).mean()
        < evaluation_metrics.log_losses(y, expit(margin)).mean()
    )
    if not better:
        return margin, Calibration()
    return tried, Calibration(*evaluation_metrics.fit_platt(y, margin))
