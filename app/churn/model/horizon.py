"""How far ahead churn is predicted, and what counts as churn. Pure."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_DAYS = 90
MIN_DAYS, MAX_DAYS, STEP_DAYS = 30, 180, 30
USUAL_GAP_QUANTILE = 0.95
"""A gap between two days of use that is longer than this quantile of all gaps counts as churn."""


class HorizonBasis(StrEnum):
    """What ends when an account churns: its paid subscription, or its use if no account pays."""

    SUBSCRIPTION = "subscription"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Horizon:
    days: int
    basis: HorizonBasis


def choose_horizon(*, pays: bool, usual_gap_days: int | None, days: int | None = None) -> Horizon:
    """Return the default horizon; if no account pays, one that fits how often accounts use it.

    ``usual_gap_days``: the 95th percentile of days from one day of use to the next, or None if
    there is no use. ``days`` overrides the length.
    """
    if pays:
        return Horizon(days or DEFAULT_DAYS, HorizonBasis.SUBSCRIPTION)
    if usual_gap_days is None:
        return Horizon(days or DEFAULT_DAYS, HorizonBasis.SILENCE)
    rounded = STEP_DAYS * max(1, (usual_gap_days + STEP_DAYS // 2) // STEP_DAYS)
    return Horizon(days or min(max(rounded, MIN_DAYS), MAX_DAYS), HorizonBasis.SILENCE)
