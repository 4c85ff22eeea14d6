"""The design of an experiment: its arms, participants, metric and horizon. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, Strict, model_validator

from app.core.filters.parser import FilterError, parse_filter
from app.health.definition.measures import NO_NUL, ConfigModel
from app.interventions.experiments.assignment import CONTROL, ArmShare
from app.interventions.playbooks.definition import PlaybookKey, TextLine
from app.portfolio.fields import CHOICES, FIELDS

MAX_TREATED_SHARE = 0.95
ArmName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_]{0,31}$", examples=["treated"])]


class TreatedArm(ConfigModel):
    """A treated arm, and how its version of the playbook differs."""

    arm: ArmName
    share: Annotated[float, Strict()] = Field(
        gt=0, le=MAX_TREATED_SHARE, description="The share of families in the arm.", examples=[0.85]
    )
    changes: dict[Annotated[str, Field(pattern=NO_NUL)], JsonValue] = Field(
        {}, description="Parts of the playbook, each as a whole.", examples=[{"channel": "call"}]
    )


def _holdout() -> list[TreatedArm]:
    return [TreatedArm(arm="treated", share=0.85)]


class ExperimentDesign(ConfigModel):
    """Arms, participants and metric. Families outside of all shares are the control."""

    name: TextLine = Field(examples=["Does a call help?"])
    playbook: PlaybookKey
    arms: list[TreatedArm] = Field(
        default_factory=_holdout,
        min_length=1,
        max_length=5,
        description="By default one arm of 85 % is treated and 15 % are held out. Two arms of 0.1 "
        "try two versions on a few accounts.",
    )
    filter: dict[str, JsonValue] = Field(
        {},
        description="Which accounts take part (docs/lists.md); all if empty.",
        examples=[{"segment": "smb"}],
    )
    metric: Literal["retained", "success"] = Field(
        "retained",
        description="`retained`: not churned after the horizon; `success`: the playbook's own "
        "criterion.",
    )
    horizon_days: Annotated[int, Strict()] = Field(
        90, ge=7, le=365, description="Days from the assignment to the outcome."
    )
    alpha: Annotated[float, Strict()] = Field(
        0.05, ge=0.001, le=0.2, description="The error probability of the intervals."
    )

    @model_validator(mode="after")
    def check_consistency(self) -> Self:
        names = [each.arm for each in self.arms]
        if len({*names, CONTROL}) <= len(names):
            raise ValueError(f"Each arm needs its own name, other than {CONTROL}.")
        if sum(each.share for each in self.arms) > MAX_TREATED_SHARE + 1e-9:
            raise ValueError(
                f"The shares must add up to at most {MAX_TREATED_SHARE}: the rest is the control."
            )
        try:
            parse_filter(self.filter, FIELDS, choices=CHOICES, relative_days=True)
        except FilterError as error:
            raise FilterError(f"/filter{error.pointer}", str(error)) from None
        return self

    @property
    def shares(self) -> list[ArmShare]:
        return [ArmShare(each.arm, each.share) for each in self.arms]
