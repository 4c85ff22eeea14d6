"""What moves an account's churn risk: contributions of columns, told by signal. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.churn.model.preprocessing import Floats
from app.features.table import EVENT_COLUMN_PREFIX

MAX_DRIVERS = 5
MIN_EFFECT = 1e-3
"""Log-odds (or points) that are not worth a sentence."""

COLUMNS_BY_SIGNAL: Mapping[str, tuple[str, ...]] = {
    "activity": ("events_28", "events_7", "events_14", "events_84"),
    "active_days": (
        "active_days_28",
        "active_days_7",
        "active_days_14",
        "active_days_84",
        "active_days_364",
    ),
    "people": ("users_28", "users_84"),
    "breadth": ("breadth_28", "breadth_84"),
    "reach": ("reach_28",),
    "value_per_dollar": (
        "events_per_dollar",
        "users_per_dollar",
        "breadth_per_dollar",
        "reach_per_dollar",
    ),
    "trend": (
        "trend_events",
        "trend_users",
        "trend_active_days",
        "trend_reach",
        "trend_events_7",
        "slope_8_weeks",
    ),
    "silence": ("recency", "recency_over_gap"),
    "tenure": ("tenure",),
    "seats": ("seat_use", "seats"),
    "concentration": ("top_user_share",),
    "price": ("mrr", "mrr_change_84", "subscriptions", "days_on_terms"),
    "renewal": ("days_to_renewal", "days_to_notice"),
    "announced_end": ("days_to_end",),
    "support": ("tickets_84",),
    "sentiment": ("nps",),
    "onboarding": ("onboarding_share",),
    "payment": ("failed_payments_84",),
}
"""Each signal with the columns that tell of it; the first is the one that is shown."""


@dataclass(frozen=True, slots=True)
class RiskDriver:
    """``effect``: what it adds, in log-odds of a model or points of the rules.

    ``before``: the account's own value of an earlier day; ``peers``: the median of the workspace.
    """

    signal: str
    feature: str
    effect: float
    value: float | None
    before: float | None
    peers: float | None


def signal_of_column(name: str) -> str:
    """Name the signal of a column; an event with a column of its own is a signal of its own."""
    return name if name.startswith(EVENT_COLUMN_PREFIX) else SIGNAL_BY_COLUMN[name]


def top_drivers(
    names: Sequence[str],
    x: Floats,
    contributions: Floats,
    before: Floats,
    peers: Mapping[str, float],
) -> list[list[RiskDriver]]:
    """Tell of each row the signals that matter most, the strongest first. All rows by ``names``."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(signal_of_column(name), []).append(place)
    signals = list(places)
    effects = np.column_stack([contributions[:, of].sum(axis=1) for of in places.values()])
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :MAX_DRIVERS]
    shown = {signal: _shown(signal, names, of) for signal, of in places.items()}
    return [
        [
            RiskDriver(
                signals[of],
                names[shown[signals[of]]],
                float(effects[row, of]),
                _known(x[row, shown[signals[of]]]),
                _known(before[row, shown[signals[of]]]),
                peers.get(names[shown[signals[of]]]),
            )
            for of in order[row]
            if abs(effects[row, of]) >= MIN_EFFECT
        ]
        for row in range(len(x))
    ]


def _shown(signal: str, names: Sequence[str], places: Sequence[int]) -> int:
    """Show the column that says it best, among those that there are."""
    wanted = COLUMNS_BY_SIGNAL.get(signal, (signal,))
    return min(places, key=lambda place: wanted.index(names[place]))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


SIGNAL_BY_COLUMN = {name: signal for signal, names in COLUMNS_BY_SIGNAL.items() for name in names}
