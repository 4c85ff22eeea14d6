from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import Field

from app.core.schemas import ResponseModel
from app.engagement.schemas import GoalProgressOut
from app.health.definition.scorecard import Band

MESSAGE = "Your plan includes “Campaigns”; three short steps put it to work."


class ReviewAudience(StrEnum):
    """Whom a review is for; what a customer gets is what ``Review`` names, and nothing else."""

    INTERNAL = "internal"
    CUSTOMER = "customer"


class MeasureLevel(ResponseModel):
    measure: str = Field(examples=["reach"])
    raw: float | None = Field(description="As counted in the window.", examples=[190])
    per_dollar: float | None = Field(description="For each 100 a month.", examples=[38.0])


class ReviewPoint(ResponseModel):
    """The last day of a week on which something was written."""

    day: date
    price_cents: float | None = Field(examples=[49900.0])
    measures: list[MeasureLevel]


class ReviewFeature(ResponseModel):
    name: str = Field(examples=["Campaigns"])
    cents: int | None = Field(description="What it stands for in the price.", examples=[12400])


class ReviewPerson(ResponseModel):
    name: str = Field(examples=["Ada Lovelace"])
    roles: list[str] = Field(examples=[["champion"]])


class ReviewSupport(ResponseModel):
    """Tickets opened between the days. ``in_time``: first replies within the standard."""

    opened: int = Field(examples=[5])
    closed: int = Field(examples=[4])
    in_time: int = Field(examples=[3])
    median_reply_minutes: float | None = Field(examples=[42.0])


class ReviewIntervention(ResponseModel):
    done_on: date
    message: str = Field(description="What the account got.", examples=[MESSAGE])
    succeeded: bool | None = Field(description="By the playbook's own measure; null: not known.")


class PeerPercentile(ResponseModel):
    """Where the account stands among the accounts it is compared with, for what it pays."""

    measure: str = Field(examples=["reach"])
    percentile: float = Field(examples=[62])


class ReviewNextStep(ResponseModel):
    message: str = Field(examples=[MESSAGE])
    link: str | None
    faq: str | None


class AccountReview(ResponseModel):
    """What an account got out of the product, and what comes next: fit for its own eyes."""

    audience: ReviewAudience
    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme"])
    plan: str | None = Field(examples=["pro"])
    since: date
    until: date
    currency: str = Field(examples=["USD"])
    value: Sequence[ReviewPoint]
    used: list[str] = Field(description="Product features.", examples=[["Export"]])
    unused: list[ReviewFeature] = Field(description="Paid for and not used.")
    goals: list[GoalProgressOut]
    people: list[ReviewPerson]
    support: ReviewSupport
    done: Sequence[ReviewIntervention]
    peers: Sequence[PeerPercentile]
    next_steps: Sequence[ReviewNextStep]


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
        description="Observational outside of experiments.",
        examples=[{"30": {"succeeded": True, "label": "observational"}}],
    )


class InternalPeerPercentile(PeerPercentile):
    median: float | None = Field(description="Of the benchmark.", examples=[240])
    points_missed: float | None = Field(examples=[11.0])


class InternalReviewNextStep(ReviewNextStep):
    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293b"])
    playbook: str = Field(examples=["right_size"])
    title: str = Field(examples=["Right-size the plan"])
    next_step: str = Field(examples=["Propose to Acme the plan that fits its use."])
    signal: str | None
    value_cents: float = Field(examples=[14808.4])


class ReviewChurnRisk(ResponseModel):
    as_of: date
    level: str | None = Field(examples=["high"])
    probability: float | None = Field(description="Null: none is claimed.", examples=[0.31])


class InternalAccountReview(AccountReview):
    owner: str | None
    segment: str | None
    score: float | None
    band: Band | None
    churn_risk: ReviewChurnRisk | None
    nps_mean: float | None
    csat_mean: float | None
    value: Sequence[InternalReviewPoint]
    done: Sequence[InternalReviewIntervention]
    peers: Sequence[InternalPeerPercentile]
    next_steps: Sequence[InternalReviewNextStep]


PERSONAL_SIGNALS = frozenset({"nps_detractor", "nps_passive", "nps_promoter", "csat_low"})
"""Signals of what one person said of us: it is not for the others there to read."""


def for_customer(review: InternalAccountReview) -> AccountReview:
    """Keep what the customer's version names; all else is left out, at every depth."""
    done = [each for each in review.done if each.signal not in PERSONAL_SIGNALS]
    next_steps = [each for each in review.next_steps if each.signal not in PERSONAL_SIGNALS]
    kept = review.model_copy(update={"done": done, "next_steps": next_steps})
    return AccountReview.model_validate(kept.model_dump() | {"audience": ReviewAudience.CUSTOMER})
