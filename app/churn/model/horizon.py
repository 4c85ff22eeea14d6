"""How far ahead churn is looked for, and what counts as churn. Pure."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_DAYS = 90
MIN_DAYS, MAX_DAYS, STEP_DAYS = 30, 180, 30
USUAL_GAP_QUANTILE = 0.95
"""So many of the gaps between two days of use are shorter than the silence that means goodbye."""


class HorizonBasis(StrEnum):
    """What ends when an account churns: what it pays for, or where nobody pays, its use."""

    SUBSCRIPTION = "subscription"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Horizon:
    days: int
    basis: HorizonBasis


def choose_horizon(*, pays: bool, usual_gap_days: int | None, days: int | None = None) -> Horizon:
    """Take the default, or where nobody pays what the workspace's own cadence says.

    ``usual_gap_days``: the 95th percentile of days from one day of use to the next. ``days`` is
    what somebody asks for instead.
    """
    if pays:
        return Horizon(days or DEFAULT_DAYS, HorizonBasis.SUBSCRIPTION)
    if usual_gap_days is None:
        return Horizon(days or DEFAULT_DAYS, HorizonBasis.SILENCE)
    rounded = STEP_DAYS * max(1, (usual_gap_days + STEP_DAYS // 2) // STEP_DAYS)
    return Horizon(days or min(max(rounded, MIN_DAYS), MAX_DAYS), HorizonBasis.SILENCE)
