"""How far ahead churn is looked for, and what counts as churn. Pure."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_DAYS = 90
SHORTEST, LONGEST, STEP = 30, 180, 30
USUAL_SHARE = 0.95
"""So many of the gaps between two days of use are shorter than the silence that means goodbye."""


class Basis(StrEnum):
    """What ends when an account churns: what it pays for, or where nobody pays, its use."""

    SUBSCRIPTION = "subscription"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Horizon:
    days: int
    basis: Basis


def horizon_of(*, pays: bool, usual_gap_days: int | None, days: int | None = None) -> Horizon:
    """Take the default, or where nobody pays what the workspace's own cadence says.

    ``usual_gap_days``: the 95th percentile of days from one day of use to the next. ``days`` is
    what somebody asks for instead.
    """
    if pays:
        return Horizon(days or DEFAULT_DAYS, Basis.SUBSCRIPTION)
    if usual_gap_days is None:
        return Horizon(days or DEFAULT_DAYS, Basis.SILENCE)
    rounded = STEP * max(1, (usual_gap_days + STEP // 2) // STEP)
    return Horizon(days or min(max(rounded, SHORTEST), LONGEST), Basis.SILENCE)
