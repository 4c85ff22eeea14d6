"""Whether a model may take over: the checks it must pass on unseen time. Pure (docs/churn.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.churn.model import evaluation_metrics as metrics
from app.churn.model.levels import ModelStage
from app.churn.model.rules_reason import MIN_CHURNED
from app.churn.model.training import SMALL_MODEL_MAX_CHURNED, TrainingResult, UnseenPredictions
from app.core.arrays import Floats, Integers

MIN_WIN_SHARE = 0.9
SLOPE_RANGE = (0.5, 2.0)
CHANCE_AUC = 0.5
UNSEEN_TIME = f"at least {MIN_CHURNED} accounts that churned later than the training rows"
MAX_CHANGED_LEVEL_SHARE = 0.2

INCUMBENT_CHECKS = {"better_than_active", "levels_kept"}
"""The checks that compare a candidate with the active model."""


@dataclass(frozen=True, slots=True)
class PromotionCheck:
    """One requirement. ``value``: what was measured, None if it cannot be measured.

    ``needed``: the requirement in words.
    """

    name: str
    passed: bool
    value: float | None
    needed: str


@dataclass(frozen=True, slots=True)
class IncumbentModel:
    """The active model, on rows that neither it nor the candidate learnt from.

    ``rows``: indices of those rows among the candidate's unseen rows. ``p``: its probabilities.
    ``changed_level_share``: the share of today's accounts whose level would change.
    """

    rows: Integers
    p: Floats
    changed_level_share: float


def run_checks(
    trained: TrainingResult, incumbent: IncumbentModel | None, *, seed: int
) -> list[PromotionCheck]:
    """Compare a candidate with the base rate, recency, the outcomes and the active model."""
    unseen = trained.unseen
    if unseen is None:
        return [PromotionCheck("unseen_time", passed=False, value=0, needed=UNSEEN_TIME)]
    samples = metrics.bootstrap_rows(unseen.account, seed)
    checks = [
        _check_time(unseen),
        _check_better("better_than_base_rate", unseen, unseen.base, seed),
        _check_better("better_than_recency", unseen, unseen.recency, seed),
        _check_ranking(unseen, samples),
        _check_slope(unseen),
        _check_ratio(unseen, samples),
    ]
    if incumbent is None:
        return checks
    return [*checks, *_compare_with_incumbent(unseen, incumbent, seed)]


def decide_stage(
    trained: TrainingResult, checks: Sequence[PromotionCheck], churned_accounts: int
) -> ModelStage:
    """Trust no model that learnt from little data or that failed a check of its own."""
    own = [check for check in checks if check.name not in INCUMBENT_CHECKS]
    if trained.model is None or churned_accounts < MIN_CHURNED:
        return ModelStage.RULES
    if churned_accounts <= SMALL_MODEL_MAX_CHURNED or not all(check.passed for check in own):
        return ModelStage.EXPERIMENTAL
    return ModelStage.TRUSTED


def may_take_over(
    stage: ModelStage,
    checks: Sequence[PromotionCheck],
    incumbent_stage: ModelStage | None = None,
) -> bool:
    """Decide whether a model may become active. ``incumbent_stage``: None without active model.

    A trusted model must pass every check, but need not beat an experimental incumbent. An
    experimental model must have predicted unseen time, beat the base rate, rank better than chance
    and not be too extreme (calibration slope), and never replaces a trusted one.
    """
    if stage is ModelStage.RULES:
        return False
    if stage is ModelStage.EXPERIMENTAL and incumbent_stage is ModelStage.TRUSTED:
        return False
    failed = {check.name for check in checks if not check.passed}
    if stage is ModelStage.TRUSTED:
        ignored = INCUMBENT_CHECKS if incumbent_stage is not ModelStage.TRUSTED else set()
        return not failed - ignored
    slope = next((c.value for c in checks if c.name == "calibration_slope"), None)
    is_moderate = slope is not None and slope >= SLOPE_RANGE[0]
    required = {
        *INCUMBENT_CHECKS,
        *("unseen_time", "better_than_base_rate", "better_than_chance"),
    }
    return is_moderate and not failed & required


def _check_time(unseen: UnseenPredictions) -> PromotionCheck:
    """Check that enough accounts churned later.

    Other accounts at the same time prove too little: what they share is learnt with the others.
    """
    churned = len(set(unseen.account[unseen.y > 0].tolist())) if unseen.is_later else 0
    return PromotionCheck("unseen_time", churned >= MIN_CHURNED, churned, UNSEEN_TIME)


def _check_better(
    name: str, unseen: UnseenPredictions, reference: Floats, seed: int
) -> PromotionCheck:
    share = _win_share(unseen.y, unseen.p, reference, unseen.account, seed)
    return PromotionCheck(name, share > MIN_WIN_SHARE, share, f"P > {MIN_WIN_SHARE}")


def _win_share(y: Floats, p: Floats, reference: Floats, account: Integers, seed: int) -> float:
    """Measure the share of bootstrap samples in which the candidate's log loss is lower."""
    gain = metrics.log_losses(y, reference) - metrics.log_losses(y, p)
    return float((metrics.bootstrap_means(gain, account, seed) > 0).mean())


def _check_ranking(unseen: UnseenPredictions, samples: list[Integers]) -> PromotionCheck:
    """Check that churned rows rank above others. A lower loss alone can come by chance."""
    auc = metrics.estimate_metric(metrics.auc, unseen.y, unseen.p, samples)
    passed = auc.low is not None and auc.low > CHANCE_AUC
    needed = "an AUC whose interval is above 0.5"
    return PromotionCheck("better_than_chance", passed, auc.value, needed)


def _check_slope(unseen: UnseenPredictions) -> PromotionCheck:
    slope = metrics.calibration_slope(unseen.y, unseen.p)
    low, high = SLOPE_RANGE
    passed = slope is not None and low <= slope <= high
    return PromotionCheck("calibration_slope", passed, slope, f"{low} to {high}")


def _check_ratio(unseen: UnseenPredictions, samples: list[Integers]) -> PromotionCheck:
    name, needed = "observed_over_expected", "an interval that contains 1"
    ratio = metrics.estimate_metric(metrics.observed_over_expected, unseen.y, unseen.p, samples)
    passed = ratio.low is not None and ratio.high is not None and ratio.low <= 1 <= ratio.high
    return PromotionCheck(name, passed, ratio.value, needed)


def _compare_with_incumbent(
    unseen: UnseenPredictions, incumbent: IncumbentModel, seed: int
) -> list[PromotionCheck]:
    """Levels that are worth nothing may change: those of a model worse than the base rate."""
    rows, share, has_worth = incumbent.rows, None, True
    y, account = unseen.y[rows], unseen.account[rows]
    if y.any():
        share = _win_share(y, unseen.p[rows], incumbent.p, account, seed)
        has_worth = _win_share(y, unseen.base[rows], incumbent.p, account, seed) <= MIN_WIN_SHARE
    is_better = share is not None and share > MIN_WIN_SHARE
    changed, limit = incumbent.changed_level_share, MAX_CHANGED_LEVEL_SHARE
    is_allowed = changed < limit or not has_worth
    return [
        PromotionCheck("better_than_active", is_better, share, f"P > {MIN_WIN_SHARE}"),
        PromotionCheck("levels_kept", is_allowed, changed, f"< {limit:.0%} change"),
    ]
