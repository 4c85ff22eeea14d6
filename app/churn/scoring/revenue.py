"""How much of an account's yearly revenue is at risk. Pure (docs/adr/0032)."""

from dataclasses import dataclass
from typing import Any, Literal

RevenueBasis = Literal["probability", "assumed", "none"]
"""How an amount was computed: ARR times the probability of churn; without one, ARR times
``ASSUMED_PERCENT`` for an account at risk, and nothing for the others."""

MONTHS_PER_YEAR = 12
ASSUMED_PERCENT = 30
"""The assumed probability of churn of an account at risk for which no model claims one.

It is what three times the odds of the usual loss come to: accounts of SaaS companies lose a median
of 13 % of their ARR a year, and 3 x 0.13 / 0.87 are odds of 0.45, so a probability of 0.31.
"""


@dataclass(frozen=True, slots=True)
class RevenueAtRisk:
    """``cents``: None while the MRR of the account is unknown.

    ``low_cents``, ``high_cents``: by the range of the probability, where there is one.
    """

    cents: int | None
    basis: RevenueBasis
    low_cents: int | None = None
    high_cents: int | None = None


def is_at_risk(band: str | None, level: str | None) -> bool:
    """Whether an account is at risk: by the band of its score or by the level of its churn risk."""
    return band == "at_risk" or level == "high"


def revenue_at_risk(
    mrr_cents: int | None, probability: float | None, *, level: str | None, band: str | None = None
) -> RevenueAtRisk:
    """Return what the churn of an account is expected to cost of one year's revenue.

    SQL that computes the same: ``app/portfolio/revenue_at_risk_queries.py`` and the report
    ``arr-at-risk``.
    """
    if probability is not None:
        return RevenueAtRisk(expected_loss(mrr_cents, probability), "probability")
    if is_at_risk(band, level):
        return RevenueAtRisk(None if mrr_cents is None else assumed_loss(mrr_cents), "assumed")
    return RevenueAtRisk(None if mrr_cents is None else 0, "none")


def expected_loss(mrr_cents: int | None, probability: float | None) -> int | None:
    """Return what the churn of an account costs of one year's revenue on average."""
    if mrr_cents is None or probability is None:
        return None
    return round(MONTHS_PER_YEAR * mrr_cents * probability)


def assumed_loss(mrr_cents: Any) -> Any:  # noqa: ANN401 - an int, or a column of integers
    """Return what an account at risk without a probability puts at risk; SQL if given a column."""
    return (MONTHS_PER_YEAR * ASSUMED_PERCENT * mrr_cents + 50) // 100


def largest_mrr_at_risk(cents: Any) -> Any:  # noqa: ANN401 - an int, or a column of integers
    """Return the largest MRR whose assumed amount is at most ``cents``; SQL if given a column."""
    return (100 * cents + 49) // (MONTHS_PER_YEAR * ASSUMED_PERCENT)
