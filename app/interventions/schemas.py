"""Suggestions, interventions and experiments on the wire."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field

from app.core.languages import Language
from app.core.schemas import Day, Id, RequestModel, ResponseModel, Text
from app.interventions.experiments.assignment import CONTROL
from app.interventions.experiments.design import (
    ArmResult,
    ExperimentDesign,
    ExperimentResults,
    ExperimentVerdict,
)
from app.interventions.ranking import RiskBasis
from app.interventions.states import InterventionState
from app.interventions.suggestion_text import texts_in
from app.interventions.tables import Experiment, Intervention

EXAMPLE_MESSAGE = "We have compared what you pay for with what your team uses. ..."
EXAMPLE_OUTCOME: dict[str, Any] = {
    "30": {
        "on": "2026-04-17",
        "retained": True,
        "health_score_change": 6.5,
        "measure_changes": {"breadth": 12.0},
        "success_measure": "signal_cleared",
        "succeeded": True,
        "label": "observational",
    }
}
Notes = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$", examples=["Spoke to Kim."])]


class EffectOut(ResponseModel):
    """What is expected of a suggestion, and what that rests on."""

    churn_removed_share: float = Field(
        description="The share of the risk that is taken away.", examples=[0.176]
    )
    evidence: str = Field(
        description="`measured` in experiments, else `prior`.", examples=["prior"]
    )
    n: int = Field(description="Decided families in experiments.", examples=[0])
    risk: float = Field(description="P(churn).", examples=[0.15])
    risk_basis: RiskBasis = Field(description="Whether a model says so, or the band stands for it.")
    arr_cents: float = Field(examples=[598800.0])
    arr_basis: str = Field(description="`subscription` or `assumed`.", examples=["subscription"])
    cost_cents: int = Field(examples=[1000])


class SuggestionOut(ResponseModel):
    """What to do about an account, why, and what it is worth."""

    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    account_id: str = Field(examples=["acme"])
    playbook: str = Field(examples=["right_size"])
    title: str = Field(examples=["Right-size the plan"])
    rank: int | None = Field(description="Among those of the account.", examples=[1])
    value_cents: float = Field(
        description="P(churn) x ARR x expected uplift - cost.", examples=[14808.4]
    )
    signal: str | None = Field(description="What it answers.", examples=["price_rise"])
    severity: str | None = Field(examples=["medium"])
    since: date | None
    evidence: dict[str, Any] = Field(examples=[{"before_cents": 49900, "after_cents": 59900}])
    next_step: str = Field(examples=["Propose to Acme the plan that fits its use."])
    message: str = Field(description="Ready to be sent to the account.", examples=[EXAMPLE_MESSAGE])
    link: str | None = Field(examples=[None])
    faq: str | None = Field(examples=[None])
    owner_role: str | None = Field(examples=["account_manager"])
    channel: str | None = Field(examples=["call"])
    effect: EffectOut | None = Field(description="Null: people began it of their own accord.")
    experiment_id: str | None = Field(examples=[None])
    arm: str | None = Field(examples=[None])
    created_at: datetime

    @classmethod
    def of(cls, row: Intervention, language: Language) -> Self:
        return cls.model_validate(_said(row, language))


class InterventionOut(SuggestionOut):
    """A suggestion and what became of it."""

    state: InterventionState
    assignee: str | None = Field(examples=["kim@example.com"])
    due_on: date | None
    notes: str | None = Field(examples=["Spoke to Kim."])
    reason: str | None = Field(description="Why it was dismissed.", examples=[None])
    decided_at: datetime | None
    done_at: datetime | None
    outcomes: dict[str, Any] = Field(
        description="After 30 and 90 days; `observational` outside of experiments.",
        examples=[EXAMPLE_OUTCOME],
    )


def _said(row: Intervention, language: Language) -> dict[str, Any]:
    texts = texts_in(row.details.get("texts", {}), language)
    columns = {column.name: getattr(row, column.name) for column in Intervention.__table__.columns}
    known: Mapping[str, Any] = {"severity": None, "since": None, "effect": None, **row.details}
    return {
        **columns,
        **{name: known.get(name) for name in ("severity", "since", "link", "faq", "effect")},
        **{name: known.get(name) for name in ("owner_role", "channel")},
        "evidence": known.get("evidence", {}),
        "title": texts.get("name", row.playbook),
        "next_step": texts.get("next_step", ""),
        "message": texts.get("message", ""),
    }


class InterventionPatch(RequestModel):
    """Who does it, until when, and what else is to be known. Null forgets."""

    assignee: Text | None = Field(None, examples=["kim@example.com"])
    due_on: Day | None = None
    notes: Notes | None = None


class InterventionIn(InterventionPatch):
    account_id: Id
    playbook: Id = Field(examples=["right_size"])


class DismissalIn(RequestModel):
    reason: Text = Field(examples=["They are being taken over; nobody can decide."])


class RateDifferenceOut(ResponseModel):
    """The difference of two rates, with its interval: right at every moment, with 1 - alpha."""

    difference: float = Field(examples=[0.08])
    low: float = Field(examples=[0.01])
    high: float = Field(examples=[0.15])


class ArmResultOut(ResponseModel):
    """An arm so far. Numbers are null below 20 decided families."""

    arm: str = Field(examples=[CONTROL])
    assigned: int = Field(description="Families.", examples=[120])
    decided: int = Field(description="Those whose horizon has passed.", examples=[80])
    rate: float | None = Field(description="The share that went well.", examples=[0.9])
    against_control: RateDifferenceOut | None

    @classmethod
    def of(cls, found: ArmResult) -> Self:
        reading = found.reading and RateDifferenceOut.model_validate(found.reading)
        count = found.count
        return cls(
            arm=found.arm,
            assigned=count.assigned,
            decided=count.trials,
            rate=found.rate,
            against_control=reading,
        )


class ContaminatedAccountOut(ResponseModel):
    """An account that got something else than its arm says. It counts in its arm all the same."""

    account_id: str = Field(examples=["acme"])
    arm: str = Field(examples=[CONTROL])
    why: str = Field(examples=["treated_in_control"])


class ExperimentOut(ResponseModel):
    id: str = Field(examples=["exp_019aa1b2c3d4e5f60718293a"])
    design: ExperimentDesign = Field(
        examples=[{"name": "Does a call help?", "playbook": "right_size"}]
    )
    state: str = Field(examples=["running"])
    winner: str | None = Field(description="What was rolled out.", examples=[None])
    created_at: datetime
    created_by: str = Field(examples=["key:k_1"])
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Experiment) -> Self:
        return cls.from_row(row, design=row.config)


class ExperimentResultsOut(ResponseModel):
    """What an experiment says so far. It may be asked at any time, as often as one likes."""

    verdict: ExperimentVerdict
    arms: list[ArmResultOut]
    sample_ratio_p: float = Field(
        description="How likely chance makes arms of these sizes.", examples=[0.7]
    )
    winner: str | None = Field(description="Better than the control for certain.", examples=[None])
    contaminated: list[ContaminatedAccountOut] = Field(description="1,000 at most.")

    @classmethod
    def of(cls, found: ExperimentResults, contaminated: Any) -> Self:  # noqa: ANN401 - rows
        return cls(
            verdict=found.verdict,
            arms=[ArmResultOut.of(each) for each in found.arms],
            sample_ratio_p=found.sample_ratio_p,
            winner=found.winner,
            contaminated=[ContaminatedAccountOut.model_validate(row) for row in contaminated],
        )


class RollOutIn(RequestModel):
    arm: Text | None = Field(None, description="Null: the one that has won.", examples=["treated"])
