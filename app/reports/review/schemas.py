from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from app.core.schemas import ResponseModel
from app.engagement.schemas import GoalProgressOut
from app.health.definition.scorecard import Band
from app.interventions.states import InterventionState

MESSAGE = "Your plan includes “Campaigns”; three short steps put it to work."


class ReviewAudience(StrEnum):
    """Who reads a review. A customer gets only the fields of ``AccountReview``."""

    INTERNAL = "internal"
    CUSTOMER = "customer"


class MeasureLevel(ResponseModel):
    measure: str = Field(examples=["reach"])
    raw: float | None = Field(description="The count in the measure's window.", examples=[190])
    per_dollar: float | None = Field(
        description="The same for each 100 of monthly price; null in the customer's version.",
        examples=[38.0],
    )


class ReviewPoint(ResponseModel):
    """Price and measures of the account on the last scored day of a week."""

    day: date
    price_cents: float | None = Field(examples=[49900.0])
    measures: list[MeasureLevel]


class ReviewFeature(ResponseModel):
    name: str = Field(examples=["Campaigns"])
    cents: int | None = Field(
        description="Its part of the monthly price; null in the customer's version.",
        examples=[12400],
    )


class UsageCount(ResponseModel):
    """How much of what the account has is in use, as plain numbers."""

    what: Literal["people", "features", "end_customers"] = Field(examples=["people"])
    count: int = Field(description="How many are active, in use or reached.", examples=[12])
    total: int | None = Field(
        description="Of how many: known people, product features of the plan, end customers. Null:"
        " not known.",
        examples=[17],
    )


class ReviewPerson(ResponseModel):
    name: str = Field(examples=["Ada Lovelace"])
    roles: list[str] = Field(examples=[["champion"]])


class ReviewSupport(ResponseModel):
    """Tickets opened within the period."""

    opened: int = Field(examples=[5])
    closed: int = Field(examples=[4])
    in_time: int = Field(
        description="Tickets with a first reply within the response-time standard.", examples=[3]
    )
    median_reply_minutes: float | None = Field(examples=[42.0])


class ReviewIntervention(ResponseModel):
    done_on: date
    message: str = Field(description="The message to the account.", examples=[MESSAGE])
    succeeded: bool | None = Field(
        description="By the playbook's own success criterion. Null: not known yet. The customer's"
        " version has only successes."
    )


class PeerPercentile(ResponseModel):
    """The percentile of the account among its peers, adjusted for the price it pays."""

    measure: str = Field(examples=["reach"])
    percentile: float = Field(examples=[62])


class ReviewNextStep(ResponseModel):
    message: str = Field(examples=[MESSAGE])
    link: str | None
    faq: str | None


class AccountReview(ResponseModel):
    """What an account got out of the product, and what comes next. Safe to show to the account."""

    audience: ReviewAudience
    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme"])
    plan: str | None = Field(examples=["pro"])
    plan_name: str | None = Field(
        description="The name of the plan, else its key.", examples=["Professional"]
    )
    since: date
    until: date
    currency: str = Field(examples=["USD"])
    value: Sequence[ReviewPoint]
    renewal_on: date | None = Field(description="The day of the next renewal.")
    counts: list[UsageCount]
    used: list[str] = Field(description="Product features in use.", examples=[["Export"]])
    unused: list[ReviewFeature] = Field(
        description="Product features that the account pays for and does not use."
    )
    goals: list[GoalProgressOut]
    people: list[ReviewPerson]
    support: ReviewSupport
    done: Sequence[ReviewIntervention]
    peers: Sequence[PeerPercentile] = Field(description="Empty in the customer's version.")
    next_steps: Sequence[ReviewNextStep] = Field(
        description="The customer's version has only what was accepted or is in progress."
    )


class InternalReviewPoint(ReviewPoint):
    score: float | None
    band: Band


class InternalReviewIntervention(ReviewIntervention):
    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: str = Field(examples=["teach_unused_feature"])
    title: str = Field(examples=["Teach an unused feature"])
    signal: str | None
    assignee: str | None
    notes: str | None
    outcomes: dict[str, Any] = Field(
        description="What changed, by days since the intervention. Observational, unless the"
        " intervention is part of an experiment.",
        examples=[{"30": {"succeeded": True, "label": "observational"}}],
    )


class InternalPeerPercentile(PeerPercentile):
    median: float | None = Field(description="The median of the benchmark.", examples=[240])
    points_missed: float | None = Field(examples=[11.0])


class InternalReviewNextStep(ReviewNextStep):
    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293b"])
    playbook: str = Field(examples=["right_size"])
    title: str = Field(examples=["Right-size the plan"])
    next_step: str = Field(examples=["Propose to Acme the plan that fits its use."])
    signal: str | None
    state: str = Field(description="`suggested`, `accepted` or `in_progress`.")
    value_cents: float = Field(examples=[14808.4])


class ReviewChurnRisk(ResponseModel):
    as_of: date
    level: str | None = Field(examples=["high"])
    probability: float | None = Field(
        description="Null: there is no model to predict it.", examples=[0.31]
    )


class InternalAccountReview(AccountReview):
    owner: str | None
    segment: str | None
    score: float | None
    band: Band | None
    churn_risk: ReviewChurnRisk | None
    notice_on: date | None = Field(description="The last day to give notice before the renewal.")
    nps_mean: float | None
    csat_mean: float | None
    value: Sequence[InternalReviewPoint]
    done: Sequence[InternalReviewIntervention]
    peers: Sequence[InternalPeerPercentile]
    next_steps: Sequence[InternalReviewNextStep]


APPROVED = frozenset({InterventionState.ACCEPTED, InterventionState.IN_PROGRESS})
"""States of next steps that a person has approved: only these are shown to the customer."""

PERSONAL_SIGNALS = frozenset({"nps_detractor", "nps_passive", "nps_promoter", "csat_low"})
"""Signals about the answer of one person, which the other people of the account must not read."""


def for_customer(review: InternalAccountReview) -> AccountReview:
    """Return the customer's version: what helps the customer, and what a person has approved.

    At every depth it has only the fields of ``AccountReview``. It compares the customer with
    nobody, puts no price on what is not used, and leaves out goals about the price.
    """
    allowed = review.model_dump() | {
        "audience": ReviewAudience.CUSTOMER,
        "value": [_plain_point(point) for point in review.value],
        "unused": [{"name": each.name, "cents": None} for each in review.unused],
        "goals": [goal for goal in review.goals if goal.metric != "mrr"],
        "done": [
            {**each.model_dump(), "succeeded": each.succeeded or None}
            for each in review.done
            if each.signal not in PERSONAL_SIGNALS
        ],
        "peers": [],
        "next_steps": [
            each
            for each in review.next_steps
            if each.state in APPROVED and each.signal not in PERSONAL_SIGNALS
        ],
    }
    return AccountReview.model_validate(allowed)


def _plain_point(point: InternalReviewPoint) -> dict[str, Any]:
    measures = [{**each.model_dump(), "per_dollar": None} for each in point.measures]
    return {"day": point.day, "price_cents": point.price_cents, "measures": measures}
