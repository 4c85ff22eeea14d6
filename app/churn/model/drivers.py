"""The drivers of an account's churn risk: column contributions, summed by signal. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.core.arrays import Floats, Integers, np
from app.features.table import EVENT_COLUMN_PREFIX

MAX_DRIVERS, MAX_CHECKED = 5, 8
"""Some of the strongest signals may have no column that agrees with their direction."""
MIN_EFFECT = 1e-3
"""In log-odds, or points of the rules. A smaller effect is not reported."""
ROUNDING = 1e-9
"""In log-odds. A smaller difference is none."""

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
    "contract": ("billing_period_months", "term_months"),
    "automatic_renewal": ("auto_renews",),
    "discount": ("discount_share",),
    "support": ("tickets_84",),
    "sentiment": ("nps",),
    "onboarding": ("onboarding_share",),
    "payment": ("failed_payments_84",),
}
"""Each signal with the columns that measure it; the first is shown if several carry it equally."""


@dataclass(frozen=True, slots=True)
class RiskDriver:
    """A signal and what it adds to the risk.

    ``feature``: the column that carries the effect. ``effect``: in log-odds of a model, or points
    of the rules. ``before``: the account's own value four weeks earlier. ``peers``: the median of
    the workspace's accounts.
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
    *,
    log_odds: Callable[[Floats], Floats] | None = None,
) -> list[list[RiskDriver]]:
    """Return the strongest signals of each row, strongest first.

    ``x``, ``contributions`` and ``before`` have the same rows, with columns by ``names``.
    ``peers``: the workspace's medians by column name. ``log_odds``: of a model, for such rows. With
    it, a signal is shown only by a column that points in the direction of the signal: at the
    median of the peers in this column alone, the log-odds are not further in that direction.
    """
    columns: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        columns.setdefault(signal_of_column(name), []).append(column)
    signals = list(columns)
    effects = np.column_stack([contributions[:, each].sum(axis=1) for each in columns.values()])
    strongest = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :MAX_CHECKED]
    rows = np.repeat(np.arange(len(x)), strongest.shape[1])
    pairs = rows, strongest.ravel()
    carriers = _rank_carriers(names, columns, contributions, effects)[pairs]
    if log_odds is None:
        shown = carriers[:, 0]
    else:
        medians = np.array([peers.get(name, np.nan) for name in names])
        shown = _find_agreeing(
            carriers, rows, np.sign(effects[pairs]), x=x, medians=medians, log_odds=log_odds
        )
    drivers: list[list[RiskDriver]] = [[] for _ in x]
    for row, n, column in zip(*pairs, shown, strict=True):
        of_row, effect = drivers[row], float(effects[row, n])
        if column >= 0 and abs(effect) >= MIN_EFFECT and len(of_row) < MAX_DRIVERS:
            value, earlier = (_none_if_missing(each[row, column]) for each in (x, before))
            name = names[column]
            driver = RiskDriver(signals[n], name, effect, value, earlier, peers.get(name))
            of_row.append(driver)
    return drivers


def _rank_carriers(
    names: Sequence[str],
    columns_by_signal: Mapping[str, Sequence[int]],
    contributions: Floats,
    effects: Floats,
) -> Integers:
    """Rank the columns that carry each signal of each row: those that add most in its direction.

    Returns an array of rows by signals by ranks. -1: no other column adds in the direction.
    """
    width = max(map(len, columns_by_signal.values()))
    carriers = np.full((*effects.shape, width), -1)
    for n, (signal, columns) in enumerate(columns_by_signal.items()):
        preferred = COLUMNS_BY_SIGNAL.get(signal, (signal,))
        ordered = np.array(sorted(columns, key=lambda column: preferred.index(names[column])))
        added = contributions[:, ordered] * np.sign(effects[:, n])[:, None]
        order = np.argsort(-added, axis=1, kind="stable")
        adds = np.take_along_axis(added, order, axis=1) > 0
        carriers[:, n, : len(columns)] = np.where(adds, ordered[order], -1)
    return carriers


def _find_agreeing(
    carriers: Integers,
    rows: Integers,
    direction: Floats,
    *,
    x: Floats,
    medians: Floats,
    log_odds: Callable[[Floats], Floats],
) -> Integers:
    """Return the first carrier of each pair of row and signal that agrees with its direction.

    -1: none does. An unknown median agrees. ``carriers``, ``rows``, ``direction``: by pair.
    """
    shown, actual = np.full(len(rows), -1), log_odds(x)
    for column in carriers.T:
        open_pairs = np.flatnonzero((shown < 0) & (column >= 0))
        row, chosen = rows[open_pairs], column[open_pairs]
        other = x[row]
        known = ~np.isnan(medians[chosen])
        other[known, chosen[known]] = medians[chosen[known]]
        moved = (actual[row] - log_odds(other)) * direction[open_pairs]
        agrees = moved >= -ROUNDING
        shown[open_pairs[agrees]] = chosen[agrees]
    return shown


def _none_if_missing(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


SIGNAL_BY_COLUMN = {name: signal for signal, names in COLUMNS_BY_SIGNAL.items() for name in names}
