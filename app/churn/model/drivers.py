"""The drivers of an account's churn risk: column contributions, summed by signal. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.arrays import Floats, np
from app.features.table import EVENT_COLUMN_PREFIX

MAX_DRIVERS = 5
MIN_EFFECT = 1e-3
"""In log-odds, or points of the rules. A smaller effect is not reported."""

COLUMNS_BY_SIGNAL: Mapping[str, tuple[str, ...]] = {
    "activity": ("events_28", "events_7", "events_14", "events_84"),
    "active_days": tuple(f"active_days_{days}" for days in (28, 7, 14, 84, 364)),
    "people": ("users_28", "users_84"),
    "breadth": ("breadth_28", "breadth_84"),
    "reach": ("reach_28",),
    "value_per_dollar": tuple(
        f"{value}_per_dollar" for value in ("events", "users", "breadth", "reach")
    ),
    "trend": (
        *("trend_events", "trend_users", "trend_active_days", "trend_reach"),
        *("trend_events_7", "slope_8_weeks"),
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
"""Each signal with the columns that measure it; the first column is the one shown."""


@dataclass(frozen=True, slots=True)
class RiskDriver:
    """A signal and what it adds to the risk.

    ``feature``: the column shown for the signal. ``effect``: in log-odds of a model, or points of
    the rules. ``before``: the account's own value four weeks earlier. ``peers``: the median of the
    workspace's accounts.
    """

    signal: str
    feature: str
    effect: float
    value: float | None
    before: float | None
    peers: float | None


def signal_of_column(name: str) -> str:
    """Return the signal of a column. A column that counts one event is a signal of its own."""
    return name if name.startswith(EVENT_COLUMN_PREFIX) else SIGNAL_BY_COLUMN[name]


def top_drivers(
    names: Sequence[str],
    x: Floats,
    contributions: Floats,
    before: Floats,
    peers: Mapping[str, float],
) -> list[list[RiskDriver]]:
    """Return the strongest signals of each row, strongest first.

    ``x``, ``contributions`` and ``before`` have the same rows, with columns by ``names``.
    ``peers``: the workspace's medians by column name.
    """
    columns: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        columns.setdefault(signal_of_column(name), []).append(column)
    signals = list(columns)
    shown = [_shown_column(signal, names, columns[signal]) for signal in signals]
    effects = np.column_stack([contributions[:, each].sum(axis=1) for each in columns.values()])
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :MAX_DRIVERS]
    return [
        [
            RiskDriver(
                signals[n],
                names[shown[n]],
                float(effects[row, n]),
                _none_if_missing(x[row, shown[n]]),
                _none_if_missing(before[row, shown[n]]),
                peers.get(names[shown[n]]),
            )
            for n in order[row]
            if abs(effects[row, n]) >= MIN_EFFECT
        ]
        for row in range(len(x))
    ]


def _shown_column(signal: str, names: Sequence[str], columns: Sequence[int]) -> int:
    """Return the column that represents a signal best, among the given columns."""
    preferred = COLUMNS_BY_SIGNAL.get(signal, (signal,))
    return min(columns, key=lambda column: preferred.index(names[column]))


def _none_if_missing(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


SIGNAL_BY_COLUMN = {name: signal for signal, names in COLUMNS_BY_SIGNAL.items() for name in names}
