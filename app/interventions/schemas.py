"""Request and response models of suggestions and interventions."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field

from app.accounts.schemas import NewId
from app.core.languages import Language
from app.core.schemas import Id, NewDay, RequestModel, ResponseModel, Text
from app.interventions.ranking import RiskBasis
from app.interventions.states import InterventionState
from app.interventions.suggestion_text import texts_in
from app.interventions.tables import Intervention

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
    """The expected effect of a suggestion, and the basis of each number."""

    churn_removed_share: float = Field(
        description="The share of the churn risk that is expected to be prevented.",
        examples=[0.176],
    )
    evidence: str = Field(description="`measured` in experiments, or `prior`.", examples=["prior"])
    n: int = Field(description="Decided families in the experiments.", examples=[0])
    risk: float = Field(description="The probability of churn.", examples=[0.15])
    risk_basis: RiskBasis = Field(
        description="`model`: a trained model. Without one an assumption: `level`, since rules call"
        " the churn risk high; else `band`."
    )
    arr_cents: float = Field(examples=[598800.0])
    arr_basis: str = Field(
        description="`subscription`, or `assumed` for an account that pays nothing.",
        examples=["subscription"],
    )
    cost_cents: int = Field(examples=[1000])


class SuggestionOut(ResponseModel):
    """A suggestion for an account with its reason, texts and value."""

    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    account_id: str = Field(examples=["acme"])
    playbook: str = Field(examples=["right_size"])
    title: str = Field(examples=["Right-size the plan"])
    rank: int | None = Field(
        description="The rank among the suggestions of the account.", examples=[1]
    )
    value_cents: float = Field(
        description="P(churn) x ARR x expected uplift - cost.", examples=[14808.4]
    )
    signal: str | None = Field(description="The signal that it answers.", examples=["price_rise"])
    severity: str | None = Field(examples=["medium"])
    since: date | None
    evidence: dict[str, Any] = Field(examples=[{"before_cents": 49900, "after_cents": 59900}])
    next_step: str = Field(examples=["Propose to Acme the plan that fits its use."])
    message: str = Field(description="Ready to send to the account.", examples=[EXAMPLE_MESSAGE])
    link: str | None = Field(examples=[None])
    faq: str | None = Field(examples=[None])
    owner_role: str | None = Field(examples=["account_manager"])
    channel: str | None = Field(examples=["call"])
    effect: EffectOut | None = Field(
        description="Null for an intervention begun without a suggestion."
    )
    experiment_id: str | None = Field(examples=[None])
    arm: str | None = Field(examples=[None])
    created_at: datetime

    @classmethod
    def from_intervention(cls, row: Intervention, language: Language) -> Self:
        return cls.model_validate(_fields(row, language))


class InterventionOut(SuggestionOut):
    """An intervention: the suggestion with its state, plan and outcomes."""

    state: InterventionState
    assignee: str | None = Field(examples=["kim@example.com"])
    due_on: date | None
    notes: str | None = Field(examples=["Spoke to Kim."])
    reason: str | None = Field(description="Why it was dismissed.", examples=[None])
    decided_at: datetime | None
    done_at: datetime | None
    outcomes: dict[str, Any] = Field(
        description="By days after completion, 30 and 90; `observational` outside experiments.",
        examples=[EXAMPLE_OUTCOME],
    )


def _fields(row: Intervention, language: Language) -> dict[str, Any]:
    texts = texts_in(row.details.get("texts", {}), language)
    columns = {column.name: getattr(row, column.name) for column in Intervention.__table__.columns}
    details: Mapping[str, Any] = {"severity": None, "since": None, "effect": None, **row.details}
    return {
        **columns,
        **{name: details.get(name) for name in ("severity", "since", "link", "faq", "effect")},
        **{name: details.get(name) for name in ("owner_role", "channel")},
        "evidence": details.get("evidence", {}),
        "title": texts.get("name", row.playbook),
        "next_step": texts.get("next_step", ""),
        "message": texts.get("message", ""),
    }


class InterventionPatch(RequestModel):
    """Assignee, due day and notes of an intervention. Null removes a value."""

    assignee: Text | None = Field(None, examples=["kim@example.com"])
    due_on: NewDay | None = None
    notes: Notes | None = None


class InterventionIn(InterventionPatch):
    account_id: NewId
    playbook: Id = Field(examples=["right_size"])


class DismissalIn(RequestModel):
    reason: Text = Field(examples=["They are being taken over; nobody can decide."])
