"""Compute what an experiment shows so far (docs/adr/0023). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.interventions.experiments.assignment import (
    CONTROL,
    MISMATCH_P_VALUE,
    sample_ratio_p_value,
)
from app.interventions.experiments.design import ExperimentDesign
from app.interventions.experiments.sequential import ArmSample, RateDifference, compare_arms

MIN_UNITS = 20


class ExperimentVerdict(StrEnum):
    OK = "ok"
    INSUFFICIENT_SAMPLE = "insufficient_sample"
    SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """Families of an arm. ``trials``: those whose horizon has passed, with ``successes``."""

    assigned: int = 0
    trials: int = 0
    successes: int = 0

    @property
    def sample(self) -> ArmSample:
        return ArmSample(self.trials, self.successes)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """``rate`` and ``difference`` (to control) are None below ``MIN_UNITS`` decided families."""

    arm: str
    counts: ArmCounts
    rate: float | None
    difference: RateDifference | None


@dataclass(frozen=True, slots=True)
class ExperimentResults:
    verdict: ExperimentVerdict
    arms: Sequence[ArmResult]
    sample_ratio_p: float
    winner: str | None


def compute_results(design: ExperimentDesign, counts: Mapping[str, ArmCounts]) -> ExperimentResults:
    """Return the results as of now; they may be computed at any time and any number of times.

    With several treated arms each is compared at alpha divided by their number.
    """
    alpha = design.alpha / len(design.arms)
    control = counts.get(CONTROL, ArmCounts())
    treated = [
        _result(each.arm, counts.get(each.arm, ArmCounts()), control, alpha) for each in design.arms
    ]
    assigned = {arm: each.assigned for arm, each in counts.items()}
    p_value = sample_ratio_p_value(assigned, design.shares)
    is_enough = any(each.difference for each in treated)
    verdict = ExperimentVerdict.OK if is_enough else ExperimentVerdict.INSUFFICIENT_SAMPLE
    if p_value < MISMATCH_P_VALUE:
        verdict = ExperimentVerdict.SAMPLE_RATIO_MISMATCH
    winner = _winner(treated) if verdict is ExperimentVerdict.OK else None
    arms = [*treated, ArmResult(CONTROL, control, _rate(control), None)]
    return ExperimentResults(verdict, arms, p_value, winner)


def _result(name: str, counts: ArmCounts, control: ArmCounts, alpha: float) -> ArmResult:
    is_enough = min(counts.trials, control.trials) >= MIN_UNITS
    difference = compare_arms(counts.sample, control.sample, alpha=alpha) if is_enough else None
    return ArmResult(name, counts, _rate(counts), difference)


def _rate(counts: ArmCounts) -> float | None:
    return counts.sample.rate if counts.trials >= MIN_UNITS else None


def _winner(treated: Sequence[ArmResult]) -> str | None:
    """Return the best of the arms whose interval lies above the control."""
    better = [
        (each.difference.difference, each.arm)
        for each in treated
        if each.difference and each.difference.low > 0
    ]
    return max(better)[1] if better else None
