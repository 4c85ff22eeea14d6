"""What an experiment is, and what it says so far (docs/adr/0023). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, Strict, model_validator

from app.core.filters.matching import FilterError, parse_filter
from app.health.definition.measures import NO_NUL
from app.interventions.experiments.assignment import (
    CONTROL,
    MISMATCH_P_VALUE,
    ArmShare,
    sample_ratio_p_value,
)
from app.interventions.experiments.sequential import ArmSample, RateDifference, compare_arms
from app.interventions.playbooks.definition import ConfigModel, PlaybookKey, TextLine
from app.portfolio.fields import CHOICES, FIELDS

MIN_UNITS = 20
MAX_TREATED_SHARE = 0.95
ArmName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_]{0,31}$", examples=["treated"])]


class TreatedArm(ConfigModel):
    """An arm that is treated, and how it differs from the playbook."""

    arm: ArmName
    share: Annotated[float, Strict()] = Field(gt=0, le=MAX_TREATED_SHARE, examples=[0.85])
    changes: dict[Annotated[str, Field(pattern=NO_NUL)], JsonValue] = Field(
        {}, description="Parts of the playbook, each as a whole.", examples=[{"channel": "call"}]
    )


def _holdout() -> list[TreatedArm]:
    return [TreatedArm(arm="treated", share=0.85)]


class ExperimentDesign(ConfigModel):
    """Who is compared with whom, and by what. What no arm takes is the control: it gets nothing."""

    name: TextLine = Field(examples=["Does a call help?"])
    playbook: PlaybookKey
    arms: list[TreatedArm] = Field(
        default_factory=_holdout,
        min_length=1,
        max_length=5,
        description="By default 15 % are held out. Two of 0.1 each try two versions on a few.",
    )
    filter: dict[str, JsonValue] = Field(
        {}, description="Whose accounts take part (docs/lists.md).", examples=[{"segment": "smb"}]
    )
    metric: Literal["retained", "success"] = Field(
        "retained", description="Not churned after the horizon, or the playbook's own measure."
    )
    horizon_days: Annotated[int, Strict()] = Field(90, ge=7, le=365)
    alpha: Annotated[float, Strict()] = Field(0.05, ge=0.001, le=0.2)

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        names = [each.arm for each in self.arms]
        if len({*names, CONTROL}) <= len(names):
            raise ValueError(f"Each arm needs a name of its own, and not {CONTROL}.")
        if sum(each.share for each in self.arms) > MAX_TREATED_SHARE + 1e-9:
            raise ValueError("The arms leave at least 5 % for the control.")
        try:
            parse_filter(self.filter, FIELDS, choices=CHOICES, moving_days=True)
        except FilterError as error:
            raise FilterError(f"/filter{error.pointer}", str(error)) from None
        return self

    @property
    def shares(self) -> list[ArmShare]:
        return [ArmShare(each.arm, each.share) for each in self.arms]


class ExperimentVerdict(StrEnum):
    OK = "ok"
    INSUFFICIENT_SAMPLE = "insufficient_sample"
    SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """Families of an arm: assigned, decided, decided well."""

    assigned: int = 0
    trials: int = 0
    successes: int = 0

    @property
    def arm(self) -> ArmSample:
        return ArmSample(self.trials, self.successes)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """``rate`` and ``reading`` (against the control) are None below 20 decided units."""

    arm: str
    count: ArmCounts
    rate: float | None
    reading: RateDifference | None


@dataclass(frozen=True, slots=True)
class ExperimentResults:
    verdict: ExperimentVerdict
    arms: Sequence[ArmResult]
    sample_ratio_p: float
    winner: str | None


def compute_results(design: ExperimentDesign, counts: Mapping[str, ArmCounts]) -> ExperimentResults:
    """Say what is known now; it may be asked at any time and as often as one likes."""
    alpha = design.alpha / len(design.arms)
    control = counts.get(CONTROL, ArmCounts())
    found = [
        _result(each.arm, counts.get(each.arm, ArmCounts()), control, alpha) for each in design.arms
    ]
    enough = any(each.reading for each in found)
    likely = sample_ratio_p_value(
        {arm: count.assigned for arm, count in counts.items()}, design.shares
    )
    verdict = ExperimentVerdict.OK if enough else ExperimentVerdict.INSUFFICIENT_SAMPLE
    if likely < MISMATCH_P_VALUE:
        verdict = ExperimentVerdict.SAMPLE_RATIO_MISMATCH
    winner = _winner(found) if verdict is ExperimentVerdict.OK else None
    arms = [*found, ArmResult(CONTROL, control, _rate(control), None)]
    return ExperimentResults(verdict, arms, likely, winner)


def _result(name: str, count: ArmCounts, control: ArmCounts, alpha: float) -> ArmResult:
    enough = min(count.trials, control.trials) >= MIN_UNITS
    reading = compare_arms(count.arm, control.arm, alpha=alpha) if enough else None
    return ArmResult(name, count, _rate(count), reading)


def _rate(count: ArmCounts) -> float | None:
    return count.arm.rate if count.trials >= MIN_UNITS else None


def _winner(found: Sequence[ArmResult]) -> str | None:
    """Take the arm that is best among those that beat the control for certain."""
    better = [
        (each.reading.difference, each.arm)
        for each in found
        if each.reading and each.reading.low > 0
    ]
    return max(better)[1] if better else None
