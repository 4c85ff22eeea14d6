"""The feature table: about forty numbers for each account and day. Pure (docs/churn.md)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

from app.core.arrays import Booleans, Floats, np
from app.core.months import RENEWAL_GRACE_DAYS
from app.features.values import FeatureMap, ReachSource

GetColumn = Callable[[str], Floats]

EVENT_COLUMN_PREFIX = "events_84:"
"""Prefix of the columns that count the events of one name."""
CENTS_PER_100_DOLLARS = 10_000
"""Features ``…_per_dollar`` are per $100 of monthly price."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """Which columns a feature table has. ``event_names``: each has a column of its own.

    ``silence_days``: after a silence of this many days, the tenure of an account starts again.
    ``grace_days``: within how many days of its end a contract is renewed.
    """

    product: FeatureMap
    reach: ReachSource
    base_currency: str
    event_names: Sequence[str]
    silence_days: int
    grace_days: int = RENEWAL_GRACE_DAYS

    @property
    def names(self) -> tuple[str, ...]:
        return (*FEATURES, *(EVENT_COLUMN_PREFIX + name for name in self.event_names))


@dataclass(frozen=True, slots=True)
class ChurnEligibility:
    """Whether accounts can churn: arrays by row. ``pays``: on the day; ``has_paid``: until then."""

    pays: Booleans
    has_paid: Booleans
    excluded: Booleans
    mrr_cents: Floats

    @classmethod
    def empty(cls, rows: int) -> Self:
        pays, has_paid, excluded = np.zeros((3, rows), dtype=bool)
        return cls(pays, has_paid, excluded, np.full(rows, np.nan))


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row for each requested account and day, in the order of the request; nan: missing."""

    account_ids: Sequence[str]
    days: Sequence[date]
    names: tuple[str, ...]
    x: Floats
    eligibility: ChurnEligibility

    def column(self, name: str) -> Floats:
        return self.x[:, self.names.index(name)]


def event_names_in(names: Sequence[str]) -> tuple[str, ...]:
    """Return the event names among these column names."""
    return tuple(
        name.removeprefix(EVENT_COLUMN_PREFIX)
        for name in names
        if name.startswith(EVENT_COLUMN_PREFIX)
    )


def derive_features(counts: Mapping[str, Floats]) -> Floats:
    """Compute the features from counts: an array of rows by ``FEATURES``."""
    rows = len(next(iter(counts.values())))
    features = np.empty((rows, len(FEATURES)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for position, compute in enumerate(FEATURES.values()):
            features[:, position] = compute(counts.__getitem__)
    return features


def _zero(name: str) -> Callable[[GetColumn], Floats]:
    """Make a feature of a count; where nothing was counted, it is zero and not missing."""
    return lambda get: np.nan_to_num(get(name))


def _known(name: str) -> Callable[[GetColumn], Floats]:
    return lambda get: get(name)


def _per_dollar(name: str) -> Callable[[GetColumn], Floats]:
    def compute(get: GetColumn) -> Floats:
        price = get("mrr_cents") / CENTS_PER_100_DOLLARS
        return np.where(price > 0, np.nan_to_num(get(name)) / price, np.nan)

    return compute


def _trend(now: str, before: str, times: float = 1) -> Callable[[GetColumn], Floats]:
    """Log of the count ``now`` over ``before``; missing for accounts younger than both."""

    def compute(get: GetColumn) -> Floats:
        ratio = (np.nan_to_num(get(now)) + 1) / (np.nan_to_num(get(before)) * times + 1)
        return np.where(get("days_since_first_use") >= MIN_DAYS_FOR_TREND, np.log(ratio), np.nan)

    return compute


def _slope(get: GetColumn) -> Floats:
    """Least-squares slope per week of the log events of eight weeks; week 0 is the latest."""
    weeks = np.column_stack([np.log1p(np.nan_to_num(get(f"week_{n}"))) for n in range(8)])
    centred = 3.5 - np.arange(8.0)
    slope = (weeks * centred).sum(axis=1) / (centred**2).sum()
    return np.where(get("days_since_first_use") >= MIN_DAYS_FOR_TREND, slope, np.nan)


def _recency(get: GetColumn) -> Floats:
    """Days since the last use, 364 at most: a longer silence is not measured."""
    since = get("days_since_first_use")
    return np.where(
        np.isnan(get("recency")) & ~np.isnan(since), np.minimum(since, 364), get("recency")
    )


def _usual_gap(get: GetColumn) -> Floats:
    """Mean days between two days of use in a year, at least 1; missing under three days of use."""
    days = get("active_days_364")
    return np.where(days >= 3, (get("oldest") - get("recency")) / (days - 1), np.nan)  # noqa: PLR2004


def _tenure(get: GetColumn) -> Floats:
    """Days since the account began or resumed to pay, or to use the product if it does not pay."""
    used = np.fmin(get("days_since_first_use"), get("returned"))
    return np.where(np.isnan(get("days_paid")), used, get("days_paid"))


def _share(part: str, whole: str) -> Callable[[GetColumn], Floats]:
    def compute(get: GetColumn) -> Floats:
        return np.where(get(whole) > 0, np.nan_to_num(get(part)) / get(whole), np.nan)

    return compute


def _mrr_change(get: GetColumn) -> Floats:
    ratio = (get("mrr_cents") + 100) / (get("mrr_cents_84") + 100)
    return np.where(get("days_paid") >= 84, np.log(ratio), np.nan)  # noqa: PLR2004


MIN_DAYS_FOR_TREND = 56
"""Days since the first use that a comparison of two windows needs."""

FEATURES: Mapping[str, Callable[[GetColumn], Floats]] = {
    **{f"events_{days}": _zero(f"events_{days}") for days in (7, 14, 28, 84)},
    **{f"active_days_{days}": _zero(f"active_days_{days}") for days in (7, 14, 28, 84, 364)},
    **{name: _zero(name) for name in ("users_28", "users_84", "breadth_28", "breadth_84")},
    "reach_28": _zero("reach_28"),
    **{
        f"{name}_per_dollar": _per_dollar(f"{name}_28")
        for name in ("events", "users", "breadth", "reach")
    },
    **{
        f"trend_{name}": _trend(f"{name}_28", f"{name}_28_before")
        for name in ("events", "users", "active_days", "reach")
    },
    "trend_events_7": _trend("events_7", "events_28", 1 / 4),
    "slope_8_weeks": _slope,
    "recency": _recency,
    "recency_over_gap": lambda get: _recency(get) / np.maximum(_usual_gap(get), 1),
    "tenure": _tenure,
    "seats": _known("seats"),
    "seat_use": _share("users_28", "seats"),
    "top_user_share": _share("top_user_84", "people_84"),
    "mrr": lambda get: get("mrr_cents") / 100,
    "mrr_change_84": _mrr_change,
    **{name: _known(name) for name in ("subscriptions", "days_on_terms", "days_to_renewal")},
    **{name: _known(name) for name in ("billing_period_months", "term_months")},
    **{name: _known(name) for name in ("auto_renews", "discount_share")},
    **{name: _known(name) for name in ("days_to_notice", "days_to_end", "tickets_84", "nps")},
    "onboarding_share": _share("steps_done", "steps"),
    "failed_payments_84": _known("failed_payments_84"),
}
"""How each feature is computed from counts, in the order of the columns."""
