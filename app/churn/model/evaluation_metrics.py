"""Metrics of churn probabilities on unseen rows, with intervals. Pure.

Intervals resample whole accounts, because rows of one account belong together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.core.arrays import Floats, Integers, np

BOOTSTRAP_DRAWS, BOOTSTRAP_MEANS = 500, 2000
TOP_SHARE = 0.1
RELIABILITY_GROUPS = 10
MIN_PROBABILITY = 1e-6
MAX_NEWTON_STEPS, MAX_HALVINGS, NEWTON_TOLERANCE = 50, 20, 1e-6


@dataclass(frozen=True, slots=True)
class MetricEstimate:
    """The value of a metric and its 95 % bootstrap interval over accounts."""

    value: float | None
    low: float | None
    high: float | None


def log_losses(y: Floats, p: Floats) -> Floats:
    """Compute the log loss of each row."""
    clipped = np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.asarray(-(y * np.log(clipped) + (1 - y) * np.log1p(-clipped)))


def auc(y: Floats, p: Floats) -> float | None:
    """Compute how often a churned row ranks above one that did not churn. Ties count half."""
    churned = int(y.sum())
    others = len(y) - churned
    if not churned or not others:
        return None
    _, group, ties = np.unique(p, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[group]
    return float((ranks[y > 0].sum() - churned * (churned + 1) / 2) / (churned * others))


def lift(y: Floats, p: Floats, share: float = TOP_SHARE) -> float | None:
    """Compute the churn rate of the riskiest rows divided by the churn rate of all rows."""
    if not y.size or not y.any():
        return None
    top = np.argsort(-p, kind="stable")[: max(1, round(share * len(y)))]
    return float(y[top].mean() / y.mean())


def calibration_slope(y: Floats, p: Floats) -> float | None:
    """Compute by what factor log-odds must be stretched to fit. Below 1: they are too extreme."""
    log_odds = _log_odds(p)
    if not y.size or not 0 < y.mean() < 1 or np.ptp(log_odds) == 0:
        return None
    return fit_platt(y, log_odds)[0]


def fit_platt(y: Floats, log_odds: Floats) -> tuple[float, float]:
    """Fit the slope and intercept of Platt's calibration by Newton's method.

    Intervals fit it hundreds of times. Equal log-odds are moved to the share that churned. Where a
    value separates the outcomes the best slope is infinite; the fit ends where it gains nothing.
    """
    from scipy.special import expit

    middle, spread = float(log_odds.mean()), float(log_odds.std())
    share = float(y.mean())
    start = float(np.log(share / (1 - share)))
    if np.ptp(log_odds) == 0:
        return 1.0, start - middle
    x = np.column_stack([np.ones(len(y)), (log_odds - middle) / spread])
    weights = np.array([start, 0.0])
    p = np.asarray(expit(x @ weights))
    loss = log_losses(y, p).mean()
    for _ in range(MAX_NEWTON_STEPS):
        gradient = x.T @ (p - y) / len(y)
        if np.abs(gradient).max() < NEWTON_TOLERANCE:
            break
        step, *_ = np.linalg.lstsq((x.T * (p * (1 - p))) @ x / len(y), gradient)
        for _ in range(MAX_HALVINGS):
            p = np.asarray(expit(x @ (weights - step)))
            if (after := log_losses(y, p).mean()) <= loss:
                break
            step /= 2
        weights, loss = weights - step, after
    slope = float(weights[1]) / spread
    return slope, float(weights[0]) - slope * middle


def slope_error(y: Floats, p: Floats, account: Integers) -> float | None:
    """Estimate by how much the slope of log-odds may be wrong: its error, and what it misses of 1.

    Clustered by account. None: it cannot be estimated.
    """
    from scipy.special import expit

    log_odds = _log_odds(p)
    churned = len(np.unique(account[y > 0]))
    if churned < 3 or y.all() or np.ptp(log_odds) == 0:  # noqa: PLR2004 - of two parameters
        return None
    slope, intercept = fit_platt(y, log_odds)
    fitted = np.asarray(expit(slope * log_odds + intercept))
    x = np.column_stack([np.ones(len(y)), log_odds])
    information = np.linalg.inv((x * (fitted * (1 - fitted))[:, None]).T @ x)
    _, account_index = np.unique(account, return_inverse=True)
    scores = np.zeros((account_index.max() + 1, 2))
    np.add.at(scores, account_index, x * (y - fitted)[:, None])
    covariance = information @ scores.T @ scores @ information * churned / (churned - 2)
    return float(np.hypot(np.sqrt(covariance[1, 1]), slope - 1))


def _log_odds(p: Floats) -> Floats:
    """Invert the logistic function; 0 and 1 count as almost that."""
    clipped = np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.asarray(np.log(clipped / (1 - clipped)))


def observed_over_expected(y: Floats, p: Floats) -> float | None:
    return float(y.sum() / p.sum()) if p.sum() > 0 else None


def bootstrap_rows(account: Integers, seed: int, count: int = BOOTSTRAP_DRAWS) -> list[Integers]:
    """Draw ``count`` samples of accounts with replacement; return the row indices of each.

    All rows of a drawn account are in the sample.
    """
    order = np.argsort(account, kind="stable")
    _, starts, sizes = np.unique(account[order], return_index=True, return_counts=True)
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(count):
        drawn = random.integers(len(starts), size=len(starts))
        size = sizes[drawn]
        ends = np.cumsum(size)
        within = np.arange(ends[-1]) - np.repeat(ends - size, size)
        samples.append(order[np.repeat(starts[drawn], size) + within])
    return samples


def estimate_metric(
    metric: Callable[[Floats, Floats], float | None],
    y: Floats,
    p: Floats,
    samples: list[Integers],
) -> MetricEstimate:
    """Compute a metric and its interval. Samples for which the metric is None are skipped."""
    value = metric(y, p) if y.size else None
    values = [each for rows in samples if (each := metric(y[rows], p[rows])) is not None]
    low, high = map(float, np.percentile(values, [2.5, 97.5])) if values else (None, None)
    return MetricEstimate(value, low, high)


def bootstrap_means(values: Floats, account: Integers, seed: int) -> Floats:
    """Draw samples of accounts with replacement; return the mean over the rows of each sample."""
    _, account_index = np.unique(account, return_inverse=True)
    sums, sizes = np.bincount(account_index, values), np.bincount(account_index)
    random = np.random.default_rng(seed)
    means = np.empty(BOOTSTRAP_MEANS)
    for n in range(BOOTSTRAP_MEANS):
        drawn = random.integers(len(sums), size=len(sums))
        means[n] = sums[drawn].sum() / sizes[drawn].sum()
    return means


def standard_error(values: Floats, account: Integers) -> float:
    """Estimate the standard error of a mean, clustered by account."""
    _, account_index = np.unique(account, return_inverse=True)
    sums, sizes = np.bincount(account_index, values), np.bincount(account_index)
    accounts = len(sums)
    if accounts < 2:  # noqa: PLR2004 - one cluster has no spread
        return float("inf")
    spread = sums - values.mean() * sizes
    return float(np.sqrt((spread**2).sum() * accounts / (accounts - 1)) / len(values))


def reliability(y: Floats, p: Floats) -> list[dict[str, Any]]:
    """Return expected and observed churn for groups of equal size, lowest probability first."""
    groups = np.array_split(np.argsort(p, kind="stable"), min(RELIABILITY_GROUPS, len(p)) or 1)
    return [
        {
            "rows": len(rows),
            "expected": float(p[rows].mean()),
            "observed": float(y[rows].mean()),
        }
        for rows in groups
        if len(rows)
    ]
