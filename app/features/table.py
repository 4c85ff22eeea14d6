"""The feature table: accounts as of days, in about forty numbers each. Pure (docs/churn.md)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.features.values import FeatureMap, ReachSource

Floats = NDArray[np.float64]
GetColumn = Callable[[str], Floats]

EVENT_COLUMN_PREFIX = "events_84:"
"""What the name of a column begins with that counts one event by its name."""
CENTS_PER_100_DOLLARS = 10_000
"""Cents in the $100 that value is set against."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """How accounts are looked at. ``event_names``: those that have a column of their own.

    ``silence_days``: after so long a silence an account starts anew.
    """

    product: FeatureMap
    reach: ReachSource
    base_currency: str
    event_names: Sequence[str]
    silence_days: int

    @property
    def names(self) -> tuple[str, ...]:
        return (*FEATURES, *(EVENT_COLUMN_PREFIX + name for name in self.event_names))


@dataclass(frozen=True, slots=True)
class ChurnEligibility:
    """What decides whether an account can churn at all."""

    pays: NDArray[np.bool_]
    has_paid: NDArray[np.bool_]
    excluded: NDArray[np.bool_]
    mrr_cents: Floats

    @classmethod
    def blank(cls, rows: int) -> Self:
        pays, has_paid, excluded = np.zeros((3, rows), dtype=bool)
        return cls(pays, has_paid, excluded, np.full(rows, np.nan))


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row for each account and day that was asked for, in that order; nan where missing."""

    account_ids: Sequence[str]
    days: Sequence[date]
    names: tuple[str, ...]
    x: Floats
    standing: ChurnEligibility

    def column(self, name: str) -> Floats:
        return self.x[:, self.names.index(name)]


def event_names_in(names: Sequence[str]) -> tuple[str, ...]:
    """Tell which events have a column of their own among these."""
    return tuple(
        name.removeprefix(EVENT_COLUMN_PREFIX)
        for name in names
        if name.startswith(EVENT_COLUMN_PREFIX)
    )


def derive_features(counts: Mapping[str, Floats]) -> Floats:
    """Make the features out of counts, rows by ``FEATURES``."""
    rows = len(next(iter(counts.values())))
    found = np.empty((rows, len(FEATURES)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for place, make in enumerate(FEATURES.values()):
            found[:, place] = make(counts.__getitem__)
    return found


def _zero(name: str) -> Callable[[GetColumn], Floats]:
    """Nothing counted is zero; only what cannot be known is missing."""
    return lambda of: np.nan_to_num(of(name))


def _known(name: str) -> Callable[[GetColumn], Floats]:
    return lambda of: of(name)


def _per_dollar(name: str) -> Callable[[GetColumn], Floats]:
    def make(of: GetColumn) -> Floats:
        price = of("mrr_cents") / CENTS_PER_100_DOLLARS
        return np.where(price > 0, np.nan_to_num(of(name)) / price, np.nan)

    return make


def _trend(now: str, before: str, times: float = 1) -> Callable[[GetColumn], Floats]:
    """Log of now over before; missing for an account that is younger than the time before."""

    def make(of: GetColumn) -> Floats:
        ratio = (np.nan_to_num(of(now)) + 1) / (np.nan_to_num(of(before)) * times + 1)
        return np.where(of("days_since_first_use") >= MIN_DAYS_FOR_TREND, np.log(ratio), np.nan)

    return make


def _slope(of: GetColumn) -> Floats:
    """Least squares through the logs of eight weeks' events, a week; the latest is week 0."""
    weeks = np.column_stack([np.log1p(np.nan_to_num(of(f"week_{n}"))) for n in range(8)])
    away = 3.5 - np.arange(8.0)
    slope = (weeks * away).sum(axis=1) / (away**2).sum()
    return np.where(of("days_since_first_use") >= MIN_DAYS_FOR_TREND, slope, np.nan)


def _recency(of: GetColumn) -> Floats:
    """Days since the last use; of a silence of a year or more only that it is as long."""
    since = of("days_since_first_use")
    return np.where(
        np.isnan(of("recency")) & ~np.isnan(since), np.minimum(since, 364), of("recency")
    )


def _usual_gap(of: GetColumn) -> Floats:
    """Days from one day of use to the next over a year, at least one; missing under three."""
    days = of("active_days_364")
    return np.where(days >= 3, (of("oldest") - of("recency")) / (days - 1), np.nan)  # noqa: PLR2004


def _tenure(of: GetColumn) -> Floats:
    """Days since the account began or came back: paying if it pays, else using."""
    used = np.fmin(of("days_since_first_use"), of("returned"))
    return np.where(np.isnan(of("days_paid")), used, of("days_paid"))


def _share(part: str, whole: str) -> Callable[[GetColumn], Floats]:
    def make(of: GetColumn) -> Floats:
        return np.where(of(whole) > 0, np.nan_to_num(of(part)) / of(whole), np.nan)

    return make


def _mrr_change(of: GetColumn) -> Floats:
    ratio = (of("mrr_cents") + 100) / (of("mrr_cents_84") + 100)
    return np.where(of("days_paid") >= 84, np.log(ratio), np.nan)  # noqa: PLR2004


MIN_DAYS_FOR_TREND = 56
"""Days of use that a comparison with the time before needs."""

FEATURES: Mapping[str, Callable[[GetColumn], Floats]] = {
    **{f"events_{days}": _zero(f"events_{days}") for days in (7, 14, 28, 84)},
    **{f"active_days_{days}": _zero(f"active_days_{days}") for days in (7, 14, 28, 84, 364)},
    "users_28": _zero("users_28"),
    "users_84": _zero("users_84"),
    "breadth_28": _zero("breadth_28"),
    "breadth_84": _zero("breadth_84"),
    "reach_28": _zero("reach_28"),
    "events_per_dollar": _per_dollar("events_28"),
    "users_per_dollar": _per_dollar("users_28"),
    "breadth_per_dollar": _per_dollar("breadth_28"),
    "reach_per_dollar": _per_dollar("reach_28"),
    "trend_events": _trend("events_28", "events_28_before"),
    "trend_users": _trend("users_28", "users_28_before"),
    "trend_active_days": _trend("active_days_28", "active_days_28_before"),
    "trend_reach": _trend("reach_28", "reach_28_before"),
    "trend_events_7": _trend("events_7", "events_28", 1 / 4),
    "slope_8_weeks": _slope,
    "recency": _recency,
    "recency_over_gap": lambda of: _recency(of) / np.maximum(_usual_gap(of), 1),
    "tenure": _tenure,
    "seats": _known("seats"),
    "seat_use": _share("users_28", "seats"),
    "top_user_share": _share("top_user_84", "people_84"),
    "mrr": lambda of: of("mrr_cents") / 100,
    "mrr_change_84": _mrr_change,
    "subscriptions": _known("subscriptions"),
    "days_on_terms": _known("days_on_terms"),
    "days_to_renewal": _known("days_to_renewal"),
    "days_to_notice": _known("days_to_notice"),
    "days_to_end": _known("days_to_end"),
    "tickets_84": _known("tickets_84"),
    "nps": _known("nps"),
    "onboarding_share": _share("steps_done", "steps"),
    "failed_payments_84": _known("failed_payments_84"),
}
"""Each with how it is made of counts, in the order of the columns."""
