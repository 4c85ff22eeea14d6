"""Small synthetic panels for training models."""

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
    """Build a panel with one row a month for each account. 0 accounts: one row for each account."""
    rows = len(y)
    per_month = accounts or rows
    return Panel(
        tuple(names) or tuple(f"c{n}" for n in range(x.shape[1])),
        x,
        y,
        FIRST_DAY + 30 * (np.arange(rows) // per_month),
        np.arange(rows) % per_month,
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
    """Build a panel in which less use and longer silence raise the risk; other columns are noise.

    ``strength``: the effect of use on the log-odds. ``base``: the log-odds at average use.
    """
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
    """Assign the outcomes to random rows, so that nothing can be learnt."""
    return replace(panel, y=np.random.default_rng(seed).permutation(panel.y))
