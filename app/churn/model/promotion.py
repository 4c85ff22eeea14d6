"""Whether a model may take over: what it must show on unseen time. Pure (docs/churn.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.churn.model import evaluation_metrics
from app.churn.model.model import ModelStage
from app.churn.model.preprocessing import Floats
from app.churn.model.training import (
    MIN_CHURNED,
    SMALL_MODEL_MAX_CHURNED,
    TrainingResult,
    UnseenPredictions,
)

MIN_WIN_SHARE = 0.9
SLOPE_RANGE = (0.5, 2.0)
CHANCE_AUC = 0.5
MAX_CHANGED_LEVEL_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class PromotionCheck:
    """One thing that must hold. ``value``: what was found; None where it cannot be told."""

    name: str
    passed: bool
    value: float | None
    needed: str


@dataclass(frozen=True, slots=True)
class IncumbentModel:
    """The model that holds, on the rows that both of them have not seen.

    ``rows``: places in the candidate's unseen rows that lie after all that the champion learnt.
    ``moved_share``: of the accounts today, how many would get another level.
    """

    rows: NDArray[np.int64]
    p: Floats
    changed_level_share: float


def run_checks(
    trained: TrainingResult, champion: IncumbentModel | None, *, seed: int
) -> list[PromotionCheck]:
    """Hold a candidate against the base rate, recency, what came, and the model that holds."""
    unseen = trained.unseen
    if unseen is None:
        return [PromotionCheck("unseen_time", passed=False, value=None, needed="some later time")]
    drawn = evaluation_metrics.bootstrap_rows(unseen.account, seed)
    found = [
        PromotionCheck("unseen_time", unseen.is_later, None, "later than what was learnt"),
        _surely("better_than_base_rate", unseen, unseen.base, seed),
        _surely("better_than_recency", unseen, unseen.recency, seed),
        _ranking(unseen, drawn),
        _slope(unseen),
        _ratio(unseen, drawn),
    ]
    return found if champion is None else [*found, *_against(unseen, champion, seed)]


def decide_stage(
    trained: TrainingResult, found: Sequence[PromotionCheck], churned: int
) -> ModelStage:
    """Trust nothing that little data made, and nothing that failed a check of its own."""
    own = [check for check in found if check.name not in INCUMBENT_CHECKS]
    if trained.model is None or churned < MIN_CHURNED:
        return ModelStage.RULES
    if churned <= SMALL_MODEL_MAX_CHURNED or not all(check.passed for check in own):
        return ModelStage.EXPERIMENTAL
    return ModelStage.TRUSTED


INCUMBENT_CHECKS = {"better_than_active", "levels_kept"}


def may_take_over(
    stage: ModelStage, found: Sequence[PromotionCheck], over: ModelStage | None = None
) -> bool:
    """Decide; ``over``: the stage of the model that holds, None without one.

    A trusted model passes every check, but need not be compared with an experimental one. An
    experimental model surely beats the base rate, surely ranks better than chance, is not too sure
    of itself, and never comes after a trusted one.
    """
    if stage is ModelStage.RULES or (
        stage is ModelStage.EXPERIMENTAL and over is ModelStage.TRUSTED
    ):
        return False
    failed = {check.name for check in found if not check.passed}
    if stage is ModelStage.TRUSTED:
        return not failed - (INCUMBENT_CHECKS if over is not ModelStage.TRUSTED else set())
    slope = next((c.value for c in found if c.name == "calibration_slope"), None)
    is_modest = slope is not None and slope >= SLOPE_RANGE[0]
    return is_modest and not failed & {
        *INCUMBENT_CHECKS,
        "better_than_base_rate",
        "better_than_chance",
    }


def _surely(name: str, unseen: UnseenPredictions, other: Floats, seed: int) -> PromotionCheck:
    """Ask how often a draw of the accounts shows the lower log loss."""
    gain = evaluation_metrics.log_losses(unseen.y, other) - evaluation_metrics.log_losses(
        unseen.y, unseen.p
    )
    share = float((evaluation_metrics.bootstrap_means(gain, unseen.account, seed) > 0).mean())
    return PromotionCheck(name, share > MIN_WIN_SHARE, share, f"P > {MIN_WIN_SHARE}")


def _ranking(unseen: UnseenPredictions, drawn: list[NDArray[np.int64]]) -> PromotionCheck:
    """Ask whether who churned stands above who did not: a lower loss alone may come by chance."""
    found = evaluation_metrics.estimate_metric(evaluation_metrics.auc, unseen.y, unseen.p, drawn)
    passed = found.low is not None and found.low > CHANCE_AUC
    return PromotionCheck(
        "better_than_chance", passed, found.value, "an AUC whose interval is above 0.5"
    )


def _slope(unseen: UnseenPredictions) -> PromotionCheck:
    slope = evaluation_metrics.calibration_slope(unseen.y, unseen.p)
    low, high = SLOPE_RANGE
    passed = slope is not None and low <= slope <= high
    return PromotionCheck("calibration_slope", passed, slope, f"{low} to {high}")


def _ratio(unseen: UnseenPredictions, drawn: list[NDArray[np.int64]]) -> PromotionCheck:
    found = evaluation_metrics.estimate_metric(
        evaluation_metrics.observed_over_expected, unseen.y, unseen.p, drawn
    )
    holds = found.low is not None and found.high is not None and found.low <= 1 <= found.high
    return PromotionCheck("observed_over_expected", holds, found.value, "an interval that holds 1")


def _against(
    unseen: UnseenPredictions, champion: IncumbentModel, seed: int
) -> list[PromotionCheck]:
    rows = champion.rows
    share = None
    if unseen.y[rows].any():
        gain = evaluation_metrics.log_losses(unseen.y[rows], champion.p)
        gain = gain - evaluation_metrics.log_losses(unseen.y[rows], unseen.p[rows])
        drawn = evaluation_metrics.bootstrap_means(gain, unseen.account[rows], seed)
        share = float((drawn > 0).mean())
    moved = champion.changed_level_share
    return [
        PromotionCheck(
            "better_than_active",
            share is not None and share > MIN_WIN_SHARE,
            share,
            f"P > {MIN_WIN_SHARE}",
        ),
        PromotionCheck(
            "levels_kept",
            moved < MAX_CHANGED_LEVEL_SHARE,
            moved,
            f"< {MAX_CHANGED_LEVEL_SHARE:.0%} move",
        ),
    ]


def checks_to_json(found: Sequence[PromotionCheck]) -> list[dict[str, Any]]:
    return [
        {"name": c.name, "passed": c.passed, "value": c.value, "needed": c.needed} for c in found
    ]
