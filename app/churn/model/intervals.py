"""Exact intervals. Pure, and loaded by processes that train nothing."""


def poisson_interval(observed: int, expected: float, level: float) -> tuple[float, float]:
    """Return the exact Poisson interval of observed over expected.

    It assumes that accounts churn independently of each other, at the expected rate.
    """
    from scipy.stats import chi2

    outside = (1 - level) / 2
    low = chi2.ppf(outside, 2 * observed) / 2 if observed else 0.0
    high = chi2.ppf(1 - outside, 2 * observed + 2) / 2
    return float(low / expected), float(high / expected)
