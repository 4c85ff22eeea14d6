"""Worlds for controls of the churn models: accounts month by month, as panels. Pure.

Nothing of an account leads to its leaving, unless ``strength`` says so: a model that claims to know
who leaves is wrong.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from app.churn.model.panel import Panel

MONTH_DAYS, HORIZON_MONTHS = 30, 3
FIRST_DAY = date(2023, 1, 31).toordinal()
NAMES = (
    *("events_28", "events_84", "active_days_28", "users_28", "breadth_28", "recency", "tenure"),
    *("seats", "seat_use", "mrr", "events_per_dollar", "trend_events", "days_to_renewal"),
    *("tickets_84", "nps", "subscriptions"),
)
"""The columns. Answers are known of a third of the accounts, from the middle of the world on."""


@dataclass(frozen=True, slots=True)
class World:
    """``x``: accounts by months by ``NAMES``. ``start``, ``end``: months that an account pays."""

    x: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def paying(self, month: int) -> NDArray[np.int64]:
        return np.flatnonzero((self.start <= month) & (month < self.end))

    def panel(self, until: int) -> Panel:
        """Return the accounts at the month ends whose outcome is known at the end of a month."""
        months = range(until - HORIZON_MONTHS + 1)
        rows = [(account, month) for month in months for account in self.paying(month)]
        account, month = np.array(rows, np.int64).reshape(-1, 2).T
        return Panel(
            NAMES,
            self.x[account, month],
            (self.end[account] <= month + HORIZON_MONTHS).astype(float),
            FIRST_DAY + MONTH_DAYS * month,
            account,
            np.zeros(len(rows), bool),
            MONTH_DAYS * HORIZON_MONTHS,
        )


def simulate(
    seed: int, *, accounts: int, months: int, hazard: float, strength: float = 0.0
) -> World:
    """Let a half of the accounts begin in the first month, and the others on any month.

    ``hazard``: the share that leaves in a month. ``strength``: how many times more of an account
    leave per standard deviation of less use, in log-odds.
    """
    random = np.random.default_rng(seed)
    start = np.where(random.random(accounts) < 1 / 2, 0, random.integers(0, months, accounts))
    level = random.normal(size=(accounts, 1))
    drift = np.cumsum(random.normal(0, 0.2, (accounts, months)), axis=1)
    use = level + drift
    odds = np.log(hazard / (1 - hazard)) - strength * use
    leaves = random.random((accounts, months)) < 1 / (1 + np.exp(-odds))
    leaves &= np.arange(months) > start[:, None]
    never = months + HORIZON_MONTHS + 1
    end = np.where(leaves.any(axis=1), leaves.argmax(axis=1), never)
    return World(_columns(random, np.exp(3 + use), start), start, end)


def _columns(
    random: np.random.Generator, rate: NDArray[np.float64], start: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Compute the columns from the events that are usual in 28 days."""
    accounts, months = rate.shape
    month = np.arange(months)
    events = random.poisson(rate).astype(float)
    before = np.column_stack([events[:, :1], events[:, :-1]])
    seats = random.integers(2, 40, (accounts, 1)) * np.ones(months)
    mrr = seats * random.choice([20.0, 50.0, 90.0], (accounts, 1))
    users = np.minimum(random.poisson(1 + rate / 8), seats)
    answers = random.integers(0, 11, (accounts, months)).astype(float)
    is_known = (random.random((accounts, 1)) < 1 / 3) & (month >= months // 2)
    columns = {
        "events_28": events,
        "events_84": events + before + random.poisson(rate),
        "active_days_28": 28 * (1 - np.exp(-events / 28)),
        "users_28": users,
        "breadth_28": random.binomial(8, 1 - np.exp(-rate / 30)),
        "recency": random.exponential(28 / (1 + rate)),
        "tenure": MONTH_DAYS * np.maximum(month - start[:, None], 0),
        "seats": seats,
        "seat_use": users / seats,
        "mrr": mrr,
        "events_per_dollar": events / mrr * 100,
        "trend_events": np.log((events + 1) / (before + 1)),
        "days_to_renewal": random.integers(1, 366, (accounts, months)),
        "tickets_84": random.poisson(0.5, (accounts, months)),
        "nps": np.where(is_known, answers, np.nan),
        "subscriptions": np.ones((accounts, months)),
    }
    return np.stack([columns[name].astype(float) for name in NAMES], axis=2)


def spoil(panel: Panel, seed: int) -> Panel:
    """Give a panel what ordinary data has: columns that began late, constants, gaps, few rows.

    Every third panel has 8 churned accounts, every seventh only one account.
    """
    random = np.random.default_rng((seed, 1))
    x, month = panel.x.copy(), panel.day
    for column in random.permutation(x.shape[1])[: int(random.integers(1, x.shape[1] + 1))]:
        match random.integers(6):
            case 0:
                x[month < random.choice(np.unique(month)), column] = np.nan
            case 1:
                x[:, column] = random.choice([0.0, 7.0, -1e9])
            case 2:
                x[:, column] = np.nan
            case 3:
                x[panel.account != random.choice(panel.account), column] = np.nan
            case 4:
                x[random.random(len(x)) < 1 / 2, column] = random.choice([np.nan, np.inf, -np.inf])
            case _:
                x[:-2, column] = np.nan
    spoilt = replace(panel, x=x)
    churned = np.unique(panel.account[panel.y > 0])
    if seed % 3 == 0:
        spoilt = spoilt.rows(~np.isin(spoilt.account, churned[8:]))
    if seed % 7 == 0 and len(churned):
        spoilt = spoilt.rows(spoilt.account == random.choice(churned))
    return spoilt
