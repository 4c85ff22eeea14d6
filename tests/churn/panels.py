"""Small panels with a law of their own, for models to find."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from app.churn.model.panel import Panel

FIRST_DAY = date(2025, 1, 31).toordinal()


def build_panel(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    accounts: int = 0,
    names: Sequence[str] = (),
    horizon_days: int = 30,
) -> Panel:
    """Lay rows out month by month, each account once a month; 0 accounts: each row is one."""
    rows = len(y)
    many = accounts or rows
    return Panel(
        tuple(names) or tuple(f"c{n}" for n in range(x.shape[1])),
        x,
        y,
        FIRST_DAY + 30 * (np.arange(rows) // many),
        np.arange(rows) % many,
        np.zeros(rows, bool),
        horizon_days,
    )


def synthetic_panel(
    *,
    accounts: int = 60,
    months: int = 10,
    seed: int = 0,
    strength: float = 2.0,
    base: float = -1.5,
) -> Panel:
    """Churn follows use: less of it, and longer silence, is more risk. Other columns are noise."""
    random = np.random.default_rng(seed)
    rows = accounts * months
    use = random.normal(size=accounts)[np.arange(rows) % accounts] + random.normal(size=rows) / 2
    recency = np.exp(1 - use / 2 + random.normal(size=rows) / 2)
    noise = random.normal(size=(rows, 2))
    odds = base - strength * use
    y = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(float)
    x = np.column_stack([np.expm1(np.clip(use + 3, 0, None)), recency, noise])
    return build_panel(x, y, accounts=accounts, names=("events_84", "recency", "mrr", "seat_use"))


def shuffle_outcomes(panel: Panel, seed: int) -> Panel:
    """Give the outcomes to other rows: there is nothing left to find."""
    return replace(panel, y=np.random.default_rng(seed).permutation(panel.y))
