"""How much of an account's yearly revenue is at risk. Pure."""

from dataclasses import dataclass
from typing import Literal

RevenueBasis = Literal["probability", "arr"]
"""How an amount was computed: ARR times the probability of churn, or all of the ARR."""


@dataclass(frozen=True, slots=True)
class RevenueAtRisk:
    cents: int
    basis: RevenueBasis


def revenue_at_risk(mrr_cents: int, probability: float | None) -> RevenueAtRisk:
    """Return ARR times probability, or without a probability the ARR, which is the most to lose.

    Only the first is an expected value, so report the basis with the amount.
    """
    arr = 12 * mrr_cents
    if probability is None:
        return RevenueAtRisk(arr, "arr")
    return RevenueAtRisk(round(arr * probability), "probability")
