"""Recalibration in the large: one shift of all log-odds, by what came of the newest predictions.

Churn rises and falls while a model stays as it is. Its ranking may last, its level does not. The
level is followed from horizon to horizon by a Kalman filter of one number. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self

from app.churn.model.model import Model, Precision, to_probability
from app.churn.model.panel import Panel
from app.core.arrays import Booleans, Floats, np

STEP = 0.3
"""By how much the level moves from one horizon to the next: a standard deviation in log-odds."""
PAST_HORIZONS = 8
STEP_EVIDENCE = 3
"""The step of a workspace counts ``STEP`` as much as so many horizons of its own."""
MIN_CHURNED = 0.5
"""Instead of no churned account, whose level would be endlessly low."""
MAX_MISSED, BISECTIONS = 5.0, 40


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A shift of a model's level: ``offset`` is added to all log-odds.

    ``error`` is the standard error of the level in the horizon to come. Both follow from the
    horizons that are over, the newest most. That is the one of the accounts observed from
    ``observed_from`` to ``observed_through``: the model alone expected ``expected`` of them to
    churn, and ``observed`` did; an account counts once for each day on which it was observed.
    """

    offset: float
    error: float
    observed_from: date
    observed_through: date
    expected: float
    observed: int
    churned_accounts: int

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        values = {each.name: stored[each.name] for each in fields(cls)}
        days = ("observed_from", "observed_through")
        return cls(**values | {name: date.fromisoformat(stored[name]) for name in days})

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        return values | {k: v.isoformat() for k, v in values.items() if isinstance(v, date)}


def fit_recalibration(model: Model, panel: Panel) -> Recalibration | None:
    """Follow the level of a model through the horizons that are over. None: there is none.

    ``panel``: rows by the model's names whose outcomes are known. Treated rows do not count. Each
    horizon moves the level towards what it missed, the less, the fewer accounts churned.
    """
    panel = panel.untreated
    if not len(panel):
        return None
    log_odds = model.margin(panel.x)
    horizons = list(_horizons(panel))
    missed = np.array([_missed_level(log_odds[rows], panel.y[rows]) for rows in horizons])
    churned = [panel.rows(rows).churned_accounts for rows in horizons]
    chance = 1 / np.maximum(churned, MIN_CHURNED)
    offset, variance = 0.0, 1 / max(panel.churned_accounts, MIN_CHURNED)
    for each, noise in zip(missed, chance, strict=True):
        variance += STEP**2
        gain = variance / (variance + noise)
        offset += gain * (each - offset)
        variance *= 1 - gain
    newest = horizons[-1]
    days = panel.day[newest]
    return Recalibration(
        offset=float(offset),
        error=float(np.sqrt(variance + _step_variance(missed, chance))),
        observed_from=date.fromordinal(int(days.min())),
        observed_through=date.fromordinal(int(days.max())),
        expected=float(to_probability(log_odds[newest]).sum()),
        observed=int(panel.y[newest].sum()),
        churned_accounts=churned[-1],
    )


def recalibrate(model: Model, recalibration: Recalibration | None) -> Model:
    """Shift a model's log-odds and its base rate, so that risk levels stay what they are."""
    if recalibration is None:
        return model
    precision = Precision(recalibration.error, model.precision.slope_error)
    return model.shifted(recalibration.offset, precision)


def _horizons(panel: Panel) -> Iterator[Booleans]:
    """Mark the rows of each of the newest horizons that has any, oldest first."""
    age = (panel.day.max() - panel.day) // panel.horizon_days
    for horizon in range(PAST_HORIZONS - 1, -1, -1):
        if (rows := age == horizon).any():
            yield rows


def _missed_level(log_odds: Floats, y: Floats) -> float:
    """Return the shift with which as many churn as expected."""
    observed = max(float(y.sum()), MIN_CHURNED)
    low, high = -MAX_MISSED, MAX_MISSED
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if to_probability(log_odds + middle).sum() < observed:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _step_variance(missed: Floats, chance: Floats) -> float:
    """Estimate by how much the level moves from one horizon to the next, beyond chance."""
    beyond = np.square(np.diff(missed)) - chance[1:] - chance[:-1]
    own = max(float(beyond.sum()), 0.0)
    return (STEP_EVIDENCE * STEP**2 + own) / (STEP_EVIDENCE + len(beyond))
