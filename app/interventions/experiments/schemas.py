"""Request and response models of experiments."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from app.core.schemas import RequestModel, ResponseModel, Text
from app.interventions.experiments.assignment import CONTROL
from app.interventions.experiments.design import ExperimentDesign
from app.interventions.experiments.results import ArmResult, ExperimentResults, ExperimentVerdict
from app.interventions.tables import Experiment


class RateDifferenceOut(ResponseModel):
    """The treated rate minus the control rate, with an interval that is valid at any time."""

    difference: float = Field(examples=[0.08])
    low: float = Field(examples=[0.01])
    high: float = Field(examples=[0.15])


class ArmResultOut(ResponseModel):
    """The results of an arm so far. Rates are null below 20 decided families."""

    arm: str = Field(examples=[CONTROL])
    assigned: int = Field(description="Assigned families.", examples=[120])
    decided: int = Field(description="Families whose horizon has passed.", examples=[80])
    rate: float | None = Field(description="The share of successes.", examples=[0.9])
    against_control: RateDifferenceOut | None

    @classmethod
    def from_result(cls, result: ArmResult) -> Self:
        difference = result.difference and RateDifferenceOut.model_validate(result.difference)
        return cls(
            arm=result.arm,
            assigned=result.counts.assigned,
            decided=result.counts.trials,
            rate=result.rate,
            against_control=difference,
        )


class ContaminatedAccountOut(ResponseModel):
    """An account that got another treatment than its arm. It still counts in its arm."""

    account_id: str = Field(examples=["acme"])
    arm: str = Field(examples=[CONTROL])
    why: str = Field(
        description="`treated_in_control`, `other_treatment` or `family_in_two_arms`.",
        examples=["treated_in_control"],
    )


class ExperimentOut(ResponseModel):
    """An experiment with its design and state."""

    id: str = Field(examples=["exp_019aa1b2c3d4e5f60718293a"])
    design: ExperimentDesign = Field(
        examples=[{"name": "Does a call help?", "playbook": "right_size"}]
    )
    state: str = Field(description="`running`, `stopped` or `rolled_out`.", examples=["running"])
    winner: str | None = Field(description="The arm that was rolled out.", examples=[None])
    created_at: datetime
    created_by: str = Field(examples=["key:k_1"])
    ended_at: datetime | None

    @classmethod
    def from_experiment(cls, row: Experiment) -> Self:
        return cls.from_row(row, design=row.config)


class ExperimentResultsOut(ResponseModel):
    """The results of an experiment so far. They may be read at any time."""

    verdict: ExperimentVerdict
    arms: list[ArmResultOut]
    sample_ratio_p: float = Field(
        description="Always-valid p-value of the arm sizes: if chance fills the arms, it ever falls"
        " to p in at most a share p of experiments.",
        examples=[0.7],
    )
    winner: str | None = Field(
        description="The best arm whose interval lies above the control.", examples=[None]
    )
    contaminated: list[ContaminatedAccountOut] = Field(description="At most 1,000 accounts.")

    @classmethod
    def from_results(cls, results: ExperimentResults, contaminated: Iterable[Any]) -> Self:
        return cls(
            verdict=results.verdict,
            arms=[ArmResultOut.from_result(each) for each in results.arms],
            sample_ratio_p=results.sample_ratio_p,
            winner=results.winner,
            contaminated=[ContaminatedAccountOut.model_validate(row) for row in contaminated],
        )


class RollOutIn(RequestModel):
    arm: Text | None = Field(None, description="Null: the winner.", examples=["treated"])
