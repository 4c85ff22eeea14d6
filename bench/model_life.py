"""The churn models in the service's own life: trained every quarter, scoring every month end.

Each figure is of probabilities that a model in service gave for outcomes that came later.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from app.churn.model import evaluation_metrics as metrics
from app.churn.model.model import Precision
from app.churn.model.panel import Fold, Panel
from app.churn.model.recalibration import recalibrate
from app.churn.training.active_model import ActiveModel
from app.churn.training.service import (
    Candidate,
    TrainingData,
    check_active_model,
    recalibrate_active_model,
    train_candidate,
)
from app.core.arrays import Booleans, Floats, Integers
from bench.model_comparison import SEED, ModelComparison, compare_with_bounds
from bench.results import Result

MONTHS_BETWEEN_TRAININGS = 3
RISKIEST = 10
RATIO_RANGE = (0.85, 1.15)
SLOPE_RANGE = (0.8, 1.25)
MIN_PRECISION_OVER_RECENCY = 2
LEVEL_ROWS = "level as trained"


@dataclass(frozen=True, slots=True)
class Served:
    """What models in service predicted, row by row, beside what came.

    ``as_trained``: without recalibration. ``base``: the base rate of the model as it served.
    ``low``, ``high``: the range of the probability.
    """

    y: Floats
    p: Floats
    low: Floats
    high: Floats
    as_trained: Floats
    base: Floats
    recency: Floats
    mrr: Floats
    account: Integers
    day: Integers

    def rows(self, selection: Booleans) -> "Served":
        return Served(*(getattr(self, name)[selection] for name in self.__slots__))

    @property
    def quarters(self) -> list["Served"]:
        days = np.unique(self.day)
        starts = [*days[::MONTHS_BETWEEN_TRAININGS], days[-1] + 1]
        return [self.rows((self.day >= a) & (self.day < b)) for a, b in pairwise(starts)]


def measure_served_horizon(panel: Panel, cut: int) -> list[Result]:
    """Train once on the rows known by a day, and predict the month ends after it."""
    early, late = panel.day + panel.horizon_days <= cut, panel.day > cut
    if not panel.y[early].any() or not panel.y[late].any():
        return []
    fold = Fold(np.flatnonzero(early), np.flatnonzero(late))
    comparison = ModelComparison.over_folds(panel, [fold])
    name = f"crm, H {panel.horizon_days}, later"
    return [
        comparison.metric_result(f"{name}, {comparison.kind_names}", "AUC"),
        comparison.metric_result(name, "lift of the top 10 %"),
        comparison.loss_difference_result(name),
        *comparison.calibration_results(name),
    ]


def measure_life(panel: Panel) -> list[Result]:
    """Serve a workspace through its whole history."""
    served = serve(panel)
    if served is None:
        return []
    years = np.array([date.fromordinal(int(day)).year for day in served.day])
    results = []
    for year in np.unique(years):
        of_year = served.rows(years == year)
        name = f"crm, own life, {year}"
        results += [
            _ratio_result(f"{name}: observed/expected", of_year, np.ones(len(of_year.y))),
            _ratio_result(f"{name}: MRR gone/expected", of_year, of_year.mrr),
        ]
    slope = metrics.calibration_slope(served.y, served.p) or 0
    return [
        *results,
        compare_with_bounds("crm, own life: calibration slope", slope, *SLOPE_RANGE),
        _precision_result(served),
        _base_rate_result(served),
        _range_result(served),
    ]


def serve(panel: Panel) -> Served | None:
    """Score each month end by the model that is active then. None: no model became active."""
    active: ActiveModel | None = None
    months = []
    for n, day in enumerate(np.unique(panel.day).tolist()):
        if n % MONTHS_BETWEEN_TRAININGS == 0:
            active = _train(panel, day, active)
        if active is not None:
            months.append(_score(panel, day, active))
    if not months:
        return None
    return Served(
        *(np.concatenate([getattr(each, name) for each in months]) for name in Served.__slots__)
    )


def _train(panel: Panel, day: int, active: ActiveModel | None) -> ActiveModel | None:
    """Train on what is known on a day, as the service does; return the model active then."""
    past = panel.rows(panel.day + panel.horizon_days <= day)
    if not len(past):
        return active
    data = TrainingData(past, panel.x[panel.day == day], active)
    candidate = train_candidate(data)
    if isinstance(candidate, Candidate) and candidate.takes_over:
        return activate(candidate)
    if active is None or check_active_model(data):
        return None
    return replace(active, recalibration=recalibrate_active_model(data))


def activate(candidate: Candidate) -> ActiveModel:
    """Return a candidate as the service would serve it."""
    card = candidate.card
    slope_error = (card["unseen"] or {}).get("slope_error")
    model = replace(
        candidate.model,
        stage=candidate.stage,
        base_rate=card["data"]["churned_rows"] / card["data"]["rows"],
        precision=Precision() if slope_error is None else Precision(slope_error=slope_error),
    )
    known_through = candidate.data_through + timedelta(days=model.horizon_days)
    return ActiveModel(
        0, model, candidate.data_through, known_through, card["profile"], candidate.recalibration
    )


def _score(panel: Panel, day: int, active: ActiveModel) -> Served:
    rows = panel.rows(panel.day == day)
    model = recalibrate(active.model, active.recalibration)
    low, high = model.probability_range(rows.x)
    return Served(
        rows.y,
        model.predict(rows.x),
        low,
        high,
        active.model.predict(rows.x),
        np.full(len(rows), model.base_rate),
        rows.x[:, panel.names.index("recency")],
        rows.x[:, panel.names.index("mrr")],
        rows.account,
        rows.day,
    )


def _ratio_result(name: str, served: Served, weight: Floats) -> Result:
    """Compare what came with what was expected, and with the models as they were trained."""
    samples = metrics.bootstrap_rows(served.account, SEED)

    def ratio(p: Floats, rows: Integers | slice = slice(None)) -> float:
        return float((weight * served.y)[rows].sum() / (weight * p)[rows].sum())

    low, high = np.percentile([ratio(served.p, rows) for rows in samples], [2.5, 97.5])
    value = ratio(served.p)
    return Result(
        name,
        value,
        f"{value:.2f} ({low:.2f} to {high:.2f})",
        f"{LEVEL_ROWS} {ratio(served.as_trained):.2f}",
        f"{RATIO_RANGE[0]} to {RATIO_RANGE[1]}",
        RATIO_RANGE[0] <= value <= RATIO_RANGE[1],
    )


def _precision_result(served: Served) -> Result:
    """Compare the churned among the riskiest of each month with those silent for longest."""
    ours = reference = scored = 0.0
    for day in np.unique(served.day):
        month = served.rows(served.day == day)
        top, silent = (
            np.argsort(-values, kind="stable")[:RISKIEST] for values in (month.p, month.recency)
        )
        ours, reference = ours + month.y[top].sum(), reference + month.y[silent].sum()
        scored += len(top)
    return Result(
        f"crm, own life: precision of the {RISKIEST} riskiest a month",
        float(ours / scored),
        f"{ours / scored:.2f}",
        f"recency {reference / scored:.2f}",
        f"{MIN_PRECISION_OVER_RECENCY} x recency",
        bool(ours >= MIN_PRECISION_OVER_RECENCY * reference),
    )


def _base_rate_result(served: Served) -> Result:
    """Count in how many pairs of quarters the base rate predicted better than the models."""
    gains = [
        metrics.log_losses(quarter.y, quarter.base) - metrics.log_losses(quarter.y, quarter.p)
        for quarter in served.quarters
    ]
    worse = sum(bool(np.concatenate(pair).mean() < 0) for pair in pairwise(gains))
    name = "crm, own life: two quarters worse than the base rate"
    return Result(name, worse, str(worse), f"of {max(len(gains) - 1, 0)}", "0", worse == 0)


def _range_result(served: Served) -> Result:
    """Count the months in which as many churned as the ranges of all accounts hold."""
    held = [
        bool(served.low[rows].sum() <= served.y[rows].sum() <= served.high[rows].sum())
        for rows in (served.day == day for day in np.unique(served.day))
    ]
    share = float(np.mean(held))
    return Result("crm, own life: months within the range", share, f"{share:.2f}", "stated .80")
