"""What an experiment is, and what it says so far (docs/adr/0023). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, Strict, model_validator

from app.core.filters.matching import FilterError, parse_filter
from app.health.measures import NO_NUL
from app.interventions.arms import CONTROL, SUSPICIOUS, Share, mismatch
from app.interventions.playbooks import Key, Line, Part
from app.interventions.sequential import Arm, Reading, read
from app.portfolio.fields import CHOICES, FIELDS

LEAST_UNITS = 20
MOST_TREATED = 0.95
ArmName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_]{0,31}$", examples=["treated"])]


class Variant(Part):
    """An arm that is treated, and how it differs from the playbook."""

    arm: ArmName
    share: Annotated[float, Strict()] = Field(gt=0, le=MOST_TREATED, examples=[0.85])
    changes: dict[Annotated[str, Field(pattern=NO_NUL)], JsonValue] = Field(
        {}, description="Parts of the playbook, each as a whole.", examples=[{"channel": "call"}]
    )


def _holdout() -> list[Variant]:
    return [Variant(arm="treated", share=0.85)]


class Design(Part):
    """Who is compared with whom, and by what. What no arm takes is the control: it gets nothing."""

    name: Line = Field(examples=["Does a call help?"])
    playbook: Key
    arms: list[Variant] = Field(
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
        if sum(each.share for each in self.arms) > MOST_TREATED + 1e-9:
            raise ValueError("The arms leave at least 5 % for the control.")
        try:
            parse_filter(self.filter, FIELDS, choices=CHOICES, moving_days=True)
        except FilterError as error:
            raise FilterError(f"/filter{error.pointer}", str(error)) from None
        return self

    @property
    def shares(self) -> list[Share]:
        return [Share(each.arm, each.share) for each in self.arms]


class Verdict(StrEnum):
    OK = "ok"
    INSUFFICIENT_SAMPLE = "insufficient_sample"
    SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"


@dataclass(frozen=True, slots=True)
class Count:
    """Families of an arm: assigned, decided, decided well."""

    assigned: int = 0
    trials: int = 0
    successes: int = 0

    @property
    def arm(self) -> Arm:
        return Arm(self.trials, self.successes)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """``rate`` and ``reading`` (against the control) are None below 20 decided units."""

    arm: str
    count: Count
    rate: float | None
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class Results:
    verdict: Verdict
    arms: Sequence[ArmResult]
    sample_ratio_p: float
    winner: str | None


def results(design: Design, counts: Mapping[str, Count]) -> Results:
    """Say what is known now; it may be asked at any time and as often as one likes."""
    alpha = design.alpha / len(design.arms)
    control = counts.get(CONTROL, Count())
    found = [
        _result(each.arm, counts.get(each.arm, Count()), control, alpha) for each in design.arms
    ]
    enough = any(each.reading for each in found)
    likely = mismatch({arm: count.assigned for arm, count in counts.items()}, design.shares)
    verdict = Verdict.OK if enough else Verdict.INSUFFICIENT_SAMPLE
    if likely < SUSPICIOUS:
        verdict = Verdict.SAMPLE_RATIO_MISMATCH
    winner = _winner(found) if verdict is Verdict.OK else None
    arms = [*found, ArmResult(CONTROL, control, _rate(control), None)]
    return Results(verdict, arms, likely, winner)


def _result(name: str, count: Count, control: Count, alpha: float) -> ArmResult:
    enough = min(count.trials, control.trials) >= LEAST_UNITS
    reading = read(count.arm, control.arm, alpha=alpha) if enough else None
    return ArmResult(name, count, _rate(count), reading)


def _rate(count: Count) -> float | None:
    return count.arm.rate if count.trials >= LEAST_UNITS else None


def _winner(found: Sequence[ArmResult]) -> str | None:
    """Take the arm that is best among those that beat the control for certain."""
    better = [
        (each.reading.difference, each.arm)
        for each in found
        if each.reading and each.reading.low > 0
    ]
    return max(better)[1] if better else None
