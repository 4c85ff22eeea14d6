"""How good probabilities of churn are on time that nobody learnt from, with intervals. Pure."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import chi2, rankdata
from sklearn.linear_model import LogisticRegression

from app.churn.model.preprocessing import Floats

BOOTSTRAP_DRAWS, BOOTSTRAP_MEANS = 500, 2000
TOP_SHARE = 0.1
RELIABILITY_GROUPS = 10
MIN_PROBABILITY = 1e-6
NO_PENALTY = np.inf


@dataclass(frozen=True, slots=True)
class MetricEstimate:
    """A figure, and where it lies in 95 of 100 draws of the accounts."""

    value: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def log_losses(y: Floats, p: Floats) -> Floats:
    """Compute the log loss of each row."""
    sure = np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.asarray(-(y * np.log(sure) + (1 - y) * np.log1p(-sure)))


def auc(y: Floats, p: Floats) -> float | None:
    """Compute how often who churned stands above who did not."""
    churned = int(y.sum())
    others = len(y) - churned
    if not churned or not others:
        return None
    ranks = rankdata(p)
    return float((ranks[y > 0].sum() - churned * (churned + 1) / 2) / (churned * others))


def lift(y: Floats, p: Floats, share: float = TOP_SHARE) -> float | None:
    """Compute how many times more of the riskiest rows churned than of all."""
    if not y.size or not y.any():
        return None
    top = np.argsort(-p, kind="stable")[: max(1, round(share * len(y)))]
    return float(y[top].mean() / y.mean())


def calibration_slope(y: Floats, p: Floats) -> float | None:
    """Compute how far log-odds must be stretched to fit: below 1 they are too extreme."""
    log_odds = logit(np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY))
    if not y.size or not 0 < y.mean() < 1 or np.ptp(log_odds) == 0:
        return None
    return fit_platt(y, log_odds)[0]


def fit_platt(y: Floats, log_odds: Floats) -> tuple[float, float]:
    """Fit Platt's slope and intercept."""
    found = LogisticRegression(C=NO_PENALTY, max_iter=1000).fit(log_odds[:, None], y)
    return float(found.coef_[0, 0]), float(found.intercept_[0])


def observed_over_expected(y: Floats, p: Floats) -> float | None:
    """Compute observed over expected churn."""
    return float(y.sum() / p.sum()) if p.sum() > 0 else None


def bootstrap_rows(
    account: NDArray[np.int64], seed: int, count: int = BOOTSTRAP_DRAWS
) -> list[NDArray[np.int64]]:
    """Draw accounts with replacement, so many times; rows of one account come together."""
    order = np.argsort(account, kind="stable")
    _, starts, sizes = np.unique(account[order], return_index=True, return_counts=True)
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        drawn = random.integers(len(starts), size=len(starts))
        size = sizes[drawn]
        ends = np.cumsum(size)
        within = np.arange(ends[-1]) - np.repeat(ends - size, size)
        found.append(order[np.repeat(starts[drawn], size) + within])
    return found


def estimate_metric(
    figure: Callable[[Floats, Floats], float | None],
    y: Floats,
    p: Floats,
    drawn: list[NDArray[np.int64]],
) -> MetricEstimate:
    seen = [found for rows in drawn if (found := figure(y[rows], p[rows])) is not None]
    low, high = np.percentile(seen, [2.5, 97.5]) if seen else (None, None)
    return MetricEstimate(
        figure(y, p) if y.size else None,
        None if low is None else float(low),
        None if high is None else float(high),
    )


def bootstrap_means(values: Floats, account: NDArray[np.int64], seed: int) -> Floats:
    """Draw accounts with replacement and take the mean over their rows, so many times."""
    _, of = np.unique(account, return_inverse=True)
    sums, sizes = np.bincount(of, values), np.bincount(of)
    random = np.random.default_rng(seed)
    found = np.empty(BOOTSTRAP_MEANS)
    for n in range(BOOTSTRAP_MEANS):
        drawn = random.integers(len(sums), size=len(sums))
        found[n] = sums[drawn].sum() / sizes[drawn].sum()
    return found


def standard_error(values: Floats, account: NDArray[np.int64]) -> float:
    """Estimate the standard error of a mean whose rows of one account belong together."""
    _, of = np.unique(account, return_inverse=True)
    sums, sizes = np.bincount(of, values), np.bincount(of)
    accounts = len(sums)
    if accounts < 2:  # noqa: PLR2004 - of one nothing can be said
        return float("inf")
    spread = sums - values.mean() * sizes
    return float(np.sqrt((spread**2).sum() * accounts / (accounts - 1)) / len(values))


def poisson_interval(observed: int, expected: float, level: float) -> tuple[float, float]:
    """Bound observed over expected, if churn came by itself and at the expected rate."""
    outside = (1 - level) / 2
    low = chi2.ppf(outside, 2 * observed) / 2 if observed else 0.0
    high = chi2.ppf(1 - outside, 2 * observed + 2) / 2
    return float(low / expected), float(high / expected)


def reliability(y: Floats, p: Floats) -> list[dict[str, Any]]:
    """Set what was said beside what came, for groups of equal size from low to high."""
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
