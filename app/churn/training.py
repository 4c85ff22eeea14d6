"""Train on a panel: judge the candidates on unseen time, choose, calibrate, fit, tell. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from app.churn import measuring, splits
from app.churn.candidates import Kind, choose, fit, unseen_margins
from app.churn.linear import Linear
from app.churn.model import Calibration, Model
from app.churn.panel import Panel
from app.churn.preparing import Floats
from app.churn.splits import Fold

FEWEST_CHURNED = 8
SMALL_UNTIL = 50
"""Churned accounts: below the first rules, up to the second the small model."""

CORE = (
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
RECENCY = "recency"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Unseen:
    """What was said about rows that nobody had learnt from, beside what came of them.

    ``later``: they lie after what was learnt, else they are of other accounts only.
    """

    y: Floats
    p: Floats
    base: Floats
    recency: Floats
    account: NDArray[np.int64]
    day: NDArray[np.int64]
    later: bool
    places: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trained:
    model: Model | None
    kind: Kind | None
    unseen: Unseen | None
    losses: dict[str, float]
    why: str = ""


def train(
    panel: Panel,
    *,
    seed: int,
    core: Sequence[str] = CORE,
    recency: str = RECENCY,
    progress: Progress = lambda _: None,
) -> Trained:
    """Make the model that the data carries, or none. Treated rows teach nothing."""
    panel = panel.rows(~panel.treated)
    churned = panel.churned_accounts
    if churned < FEWEST_CHURNED or panel.y.all():
        return Trained(None, None, None, {}, f"{churned} accounts have churned, 8 are needed.")
    kinds = (Kind.SMALL,) if churned <= SMALL_UNTIL else tuple(Kind)[1:]
    folds, later = _folds(panel, seed)
    if not folds:
        return _untested(panel, core, seed)
    progress("judging")
    margins = unseen_margins(kinds, panel, folds, core=core, seed=seed)
    test = panel.rows(np.concatenate([fold.test for fold in folds]))
    loss = {kind: measuring.losses(test.y, expit(margins[kind])) for kind in kinds}
    kind = choose(loss, test.account)
    calibrated, calibration = _calibrate(test.y, margins[kind], folds)
    unseen = Unseen(
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
    return Trained(model, kind, unseen, {each: float(loss[each].mean()) for each in loss})


def _untested(panel: Panel, core: Sequence[str], seed: int) -> Trained:
    parts = fit(Kind.SMALL, panel, core=core, seed=seed)
    model = Model(panel.names, panel.horizon_days, parts)
    return Trained(model, Kind.SMALL, None, {}, "There is nothing unseen to judge it by.")


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
            slope, intercept = measuring.recalibration(y[:start], margin[:start])
            if slope > 0:
                tried[start:end] = slope * margin[start:end] + intercept
    better = measuring.losses(y, expit(tried)).mean() < measuring.losses(y, expit(margin)).mean()
    if not better:
        return margin, Calibration()
    return tried, Calibration(*measuring.recalibration(y, margin))
