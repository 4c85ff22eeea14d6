"""What an account pays in a year, and how much of it is at risk. Pure."""

from dataclasses import dataclass
from typing import Literal

Basis = Literal["probability", "level", "band", "arr"]
"""What says how much: a probability; where none is claimed a level, or a band; or nothing does."""

EVERYTHING = {"level": {"high"}, "band": {"at_risk"}}
"""Where nothing better is known all of it is at risk, or nothing."""


@dataclass(frozen=True, slots=True)
class RevenueAtRisk:
    cents: int
    basis: Basis


def revenue_at_risk(
    mrr_cents: int,
    *,
    probability: float | None = None,
    level: str | None = None,
    band: str | None = None,
) -> RevenueAtRisk:
    """Take ARR times probability; without one all of the ARR of a high level or of band at_risk.

    A level goes before a band; where there is neither, all of it may be lost. Only the first is an
    expectation: say the basis with the amount.
    """
    arr = 12 * mrr_cents
    if probability is not None:
        return RevenueAtRisk(round(arr * probability), "probability")
    if level is not None:
        return RevenueAtRisk(arr if level in EVERYTHING["level"] else 0, "level")
    if band is not None:
        return RevenueAtRisk(arr if band in EVERYTHING["band"] else 0, "band")
    return RevenueAtRisk(arr, "arr")
