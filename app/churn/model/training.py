"""Train on a panel: evaluate candidates on unseen time, choose, calibrate and fit. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.churn.model.candidates import (
    FIT_ERRORS,
    FitKind,
    ModelKind,
    choose_kind,
    fit,
    unseen_margins,
)
from app.churn.model.evaluation_metrics import fit_platt, log_losses, standard_error
from app.churn.model.linear import Linear
from app.churn.model.model import Calibration, Model, Part, to_probability
from app.churn.model.panel import Fold, Panel, grouped_folds, rolling_folds
from app.churn.model.rules_reason import MIN_CHURNED, RulesReason
from app.core.arrays import Floats, Integers, np

SMALL_MODEL_MAX_CHURNED = 50
"""Up to this number of churned accounts, only the small model is tried."""

RECENCY_COLUMN = "recency"

ReportProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UnseenPredictions:
    """Predictions for rows that the predicting model had not learnt from, with the outcomes.

    ``p``: of the chosen kind. ``base``, ``recency``: of the two references. ``is_later``: the rows
    lie after the training rows; otherwise they only belong to other accounts. ``row_index``: their
    indices among the untreated rows of the panel.
    """

    y: Floats
    p: Floats
    base: Floats
    recency: Floats
    account: Integers
    day: Integers
    is_later: bool
    row_index: Integers


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A trained model, or ``reason`` for having none.

    ``losses``: mean log loss by model kind. ``errors``: of the kinds that could not be fitted.
    """

    model: Model | None
    kind: ModelKind | None
    unseen: UnseenPredictions | None
    losses: Mapping[ModelKind, float]
    reason: str = ""
    errors: Mapping[ModelKind, str] = field(default_factory=dict)


def train(
    panel: Panel,
    *,
    seed: int,
    report_progress: ReportProgress = lambda _: None,
    fit_kind: FitKind = fit,
) -> TrainingResult:
    """Train the model that the amount of data supports, or none. Treated rows are not used.

    A kind of model that cannot be fitted leaves the choice to the others.
    """
    shortage = find_shortage(panel)
    panel = panel.untreated
    churned = panel.churned_accounts
    if shortage:
        reason = (
            f"{churned} accounts have churned: a model needs at least {MIN_CHURNED}, and accounts"
            " that have not churned."
        )
        return TrainingResult(None, None, None, {}, reason)
    kinds = (ModelKind.SMALL,) if churned <= SMALL_MODEL_MAX_CHURNED else tuple(ModelKind)[1:]
    later_folds = rolling_folds(panel)
    folds = later_folds or grouped_folds(panel, seed)
    if not folds:
        model = Model(panel.names, panel.horizon_days, fit(ModelKind.SMALL, panel, seed=seed))
        reason = "The model cannot be evaluated: there are no rows that it has not learnt from."
        return TrainingResult(model, ModelKind.SMALL, None, {}, reason)
    report_progress("judging")
    margins, errors = unseen_margins(kinds, panel, folds, seed=seed, fit_kind=fit_kind)
    row_index = np.concatenate([fold.test for fold in folds])
    test = panel.rows(row_index)
    loss = {kind: log_losses(test.y, to_probability(each)) for kind, each in margins.items()}
    losses = {kind: float(each.mean()) for kind, each in loss.items()}
    report_progress("fitting")
    parts: tuple[Part, ...] = ()
    while loss and not parts:
        kind = choose_kind(loss, test.account)
        try:
            parts = fit_kind(kind, panel, seed=seed)
        except FIT_ERRORS as error:
            errors[kind] = str(error)
            del loss[kind]
    if not parts:
        reason = "No kind of model could be fitted: " + "; ".join(sorted(set(errors.values())))
        return TrainingResult(None, None, None, losses, reason, errors)
    ends = np.cumsum([len(fold.test) for fold in folds])
    calibrated, calibration = calibrate(test.y, margins[kind], test.account, ends)
    unseen = UnseenPredictions(
        y=test.y,
        p=to_probability(calibrated),
        base=np.concatenate([np.full(len(f.test), panel.y[f.train].mean()) for f in folds]),
        recency=_predict_by_recency(panel, folds),
        account=test.account,
        day=test.day,
        is_later=bool(later_folds),
        row_index=row_index,
    )
    model = Model(panel.names, panel.horizon_days, parts, calibration)
    return TrainingResult(model, kind, unseen, losses, errors=errors)


def find_shortage(panel: Panel) -> RulesReason | None:
    """Return why a panel is too small for a model, or None. Treated rows do not count."""
    panel = panel.untreated
    if not len(panel):
        return RulesReason("short_history")
    if panel.y.all():
        return RulesReason("nobody_stayed")
    churned = panel.churned_accounts
    return RulesReason("too_few_churned", churned) if churned < MIN_CHURNED else None


def _predict_by_recency(panel: Panel, folds: Sequence[Fold]) -> Floats:
    """Predict from the days since the last use alone, or from the base rate without them."""
    among = np.flatnonzero(np.array(panel.names) == RECENCY_COLUMN)
    by_fold = []
    for fold in folds:
        model = Linear.fit(panel.x[fold.train], panel.y[fold.train], among)
        by_fold.append(to_probability(model.margin(panel.x[fold.test])))
    return np.concatenate(by_fold)


def calibrate(
    y: Floats, margin: Floats, account: Integers, ends: Integers
) -> tuple[Floats, Calibration]:
    """Calibrate each fold by the folds before it. Use the calibration only if it surely gains.

    ``ends``: where each fold ends. The models of the folds learnt from less than the one that is
    served and are more extreme. So a gain in log loss of less than its standard error is none.
    Returns the log-odds of the rows, and the calibration fitted to all of them.
    """
    calibrated = margin.copy()
    for start, end in pairwise(ends):
        if 0 < y[:start].mean() < 1:
            slope, intercept = fit_platt(y[:start], margin[:start])
            if slope > 0:
                calibrated[start:end] = slope * margin[start:end] + intercept
    before, after = (log_losses(y, to_probability(each)) for each in (margin, calibrated))
    gain = before - after
    if not gain.mean() > standard_error(gain, account):
        return margin, Calibration()
    return calibrated, Calibration(*fit_platt(y, margin))
