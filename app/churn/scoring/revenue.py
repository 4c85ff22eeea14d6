"""What an account pays in a year, and how much of it is at risk. Pure."""

from dataclasses import dataclass
from typing import Literal

RevenueBasis = Literal["probability", "arr"]
"""What says how much: a probability; or nothing does, and all of a year's revenue is at stake."""


@dataclass(frozen=True, slots=True)
class RevenueAtRisk:
    cents: int
    basis: RevenueBasis


def revenue_at_risk(mrr_cents: int, probability: float | None) -> RevenueAtRisk:
    """Take ARR times probability; where none is claimed the ARR, the most that there is to lose.

    Only the first is an expectation: say the basis with the amount.
    """
    arr = 12 * mrr_cents
    if probability is None:
        return RevenueAtRisk(arr, "arr")
    return RevenueAtRisk(round(arr * probability), "probability")
