"""Whether a model may take over: what it must show on unseen time. Pure (docs/churn.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.churn import measuring
from app.churn.model import Stage
from app.churn.preparing import Floats
from app.churn.training import FEWEST_CHURNED, SMALL_UNTIL, Trained, Unseen

SURE = 0.9
SLOPES = (0.5, 2.0)
BY_CHANCE = 0.5
MOST_MOVED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold. ``value``: what was found; None where it cannot be told."""

    name: str
    passed: bool
    value: float | None
    needed: str


@dataclass(frozen=True, slots=True)
class Champion:
    """The model that holds, on the rows that both of them have not seen.

    ``rows``: places in the candidate's unseen rows that lie after all that the champion learnt.
    ``moved_share``: of the accounts today, how many would get another level.
    """

    rows: NDArray[np.int64]
    p: Floats
    moved_share: float


def checks(trained: Trained, champion: Champion | None, *, seed: int) -> list[Check]:
    """Hold a candidate against the base rate, recency, what came, and the model that holds."""
    unseen = trained.unseen
    if unseen is None:
        return [Check("unseen_time", passed=False, value=None, needed="some later time")]
    drawn = measuring.draws(unseen.account, seed)
    found = [
        Check("unseen_time", unseen.later, None, "later than what was learnt"),
        _surely("better_than_base_rate", unseen, unseen.base, seed),
        _surely("better_than_recency", unseen, unseen.recency, seed),
        _ranking(unseen, drawn),
        _slope(unseen),
        _ratio(unseen, drawn),
    ]
    return found if champion is None else [*found, *_against(unseen, champion, seed)]


def stage_of(trained: Trained, found: Sequence[Check], churned: int) -> Stage:
    """Trust nothing that little data made, and nothing that failed a check of its own."""
    own = [check for check in found if check.name not in COMPARED]
    if trained.model is None or churned < FEWEST_CHURNED:
        return Stage.RULES
    if churned <= SMALL_UNTIL or not all(check.passed for check in own):
        return Stage.EXPERIMENTAL
    return Stage.TRUSTED


COMPARED = {"better_than_active", "levels_kept"}


def may_take_over(stage: Stage, found: Sequence[Check], over: Stage | None = None) -> bool:
    """Decide; ``over``: the stage of the model that holds, None without one.

    A trusted model passes every check, but need not be compared with an experimental one. An
    experimental model surely beats the base rate, surely ranks better than chance, is not too sure
    of itself, and never comes after a trusted one.
    """
    if stage is Stage.RULES or (stage is Stage.EXPERIMENTAL and over is Stage.TRUSTED):
        return False
    failed = {check.name for check in found if not check.passed}
    if stage is Stage.TRUSTED:
        return not failed - (COMPARED if over is not Stage.TRUSTED else set())
    slope = next((c.value for c in found if c.name == "calibration_slope"), None)
    is_modest = slope is not None and slope >= SLOPES[0]
    return is_modest and not failed & {*COMPARED, "better_than_base_rate", "better_than_chance"}


def _surely(name: str, unseen: Unseen, other: Floats, seed: int) -> Check:
    """Ask how often a draw of the accounts shows the lower log loss."""
    gain = measuring.losses(unseen.y, other) - measuring.losses(unseen.y, unseen.p)
    share = float((measuring.mean_by_account(gain, unseen.account, seed) > 0).mean())
    return Check(name, share > SURE, share, f"P > {SURE}")


def _ranking(unseen: Unseen, drawn: list[NDArray[np.int64]]) -> Check:
    """Ask whether who churned stands above who did not: a lower loss alone may come by chance."""
    found = measuring.measured(measuring.auc, unseen.y, unseen.p, drawn)
    passed = found.low is not None and found.low > BY_CHANCE
    return Check("better_than_chance", passed, found.value, "an AUC whose interval is above 0.5")


def _slope(unseen: Unseen) -> Check:
    slope = measuring.slope(unseen.y, unseen.p)
    low, high = SLOPES
    passed = slope is not None and low <= slope <= high
    return Check("calibration_slope", passed, slope, f"{low} to {high}")


def _ratio(unseen: Unseen, drawn: list[NDArray[np.int64]]) -> Check:
    found = measuring.measured(measuring.ratio, unseen.y, unseen.p, drawn)
    holds = found.low is not None and found.high is not None and found.low <= 1 <= found.high
    return Check("observed_over_expected", holds, found.value, "an interval that holds 1")


def _against(unseen: Unseen, champion: Champion, seed: int) -> list[Check]:
    rows = champion.rows
    share = None
    if unseen.y[rows].any():
        gain = measuring.losses(unseen.y[rows], champion.p)
        gain = gain - measuring.losses(unseen.y[rows], unseen.p[rows])
        drawn = measuring.mean_by_account(gain, unseen.account[rows], seed)
        share = float((drawn > 0).mean())
    moved = champion.moved_share
    return [
        Check("better_than_active", share is not None and share > SURE, share, f"P > {SURE}"),
        Check("levels_kept", moved < MOST_MOVED_SHARE, moved, f"< {MOST_MOVED_SHARE:.0%} move"),
    ]


def to_json(found: Sequence[Check]) -> list[dict[str, Any]]:
    return [
        {"name": c.name, "passed": c.passed, "value": c.value, "needed": c.needed} for c in found
    ]
