from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import Field

from app.core.schemas import ResponseModel
from app.engagement.schemas import GoalProgressOut
from app.health.scorecard import Band

MESSAGE = "Your plan includes “Campaigns”; three short steps put it to work."


class Audience(StrEnum):
    """Whom a review is for; what a customer gets is what ``Review`` names, and nothing else."""

    INTERNAL = "internal"
    CUSTOMER = "customer"


class MeasureLevel(ResponseModel):
    measure: str = Field(examples=["reach"])
    raw: float | None = Field(description="As counted in the window.", examples=[190])
    per_dollar: float | None = Field(description="For each 100 a month.", examples=[38.0])


class Point(ResponseModel):
    """The last day of a week on which something was written."""

    day: date
    price_cents: float | None = Field(examples=[49900.0])
    measures: list[MeasureLevel]


class FeatureUse(ResponseModel):
    name: str = Field(examples=["Campaigns"])
    cents: int | None = Field(description="What it stands for in the price.", examples=[12400])


class Person(ResponseModel):
    name: str = Field(examples=["Ada Lovelace"])
    roles: list[str] = Field(examples=[["champion"]])


class Support(ResponseModel):
    """Tickets opened between the days. ``in_time``: first replies within the standard."""

    opened: int = Field(examples=[5])
    closed: int = Field(examples=[4])
    in_time: int = Field(examples=[3])
    median_reply_minutes: float | None = Field(examples=[42.0])


class Done(ResponseModel):
    done_on: date
    message: str = Field(description="What the account got.", examples=[MESSAGE])
    succeeded: bool | None = Field(description="By the playbook's own measure; null: not known.")


class PeerPercentile(ResponseModel):
    """Where the account stands among the accounts it is compared with, for what it pays."""

    measure: str = Field(examples=["reach"])
    percentile: float = Field(examples=[62])


class NextStep(ResponseModel):
    message: str = Field(examples=[MESSAGE])
    link: str | None
    faq: str | None


class Review(ResponseModel):
    """What an account got out of the product, and what comes next: fit for its own eyes."""

    audience: Audience
    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme"])
    plan: str | None = Field(examples=["pro"])
    since: date
    until: date
    currency: str = Field(examples=["USD"])
    value: Sequence[Point]
    used: list[str] = Field(description="Product features.", examples=[["Export"]])
    unused: list[FeatureUse] = Field(description="Paid for and not used.")
    goals: list[GoalProgressOut]
    people: list[Person]
    support: Support
    done: Sequence[Done]
    peers: Sequence[PeerPercentile]
    next_steps: Sequence[NextStep]


class InternalPoint(Point):
    score: float | None
    band: Band


class InternalDone(Done):
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


class InternalPercentile(PeerPercentile):
    median: float | None = Field(description="Of the benchmark.", examples=[240])
    points_missed: float | None = Field(examples=[11.0])


class InternalNextStep(NextStep):
    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293b"])
    playbook: str = Field(examples=["right_size"])
    title: str = Field(examples=["Right-size the plan"])
    next_step: str = Field(examples=["Propose to Acme the plan that fits its use."])
    signal: str | None
    value_cents: float = Field(examples=[14808.4])


class Risk(ResponseModel):
    as_of: date
    level: str | None = Field(examples=["high"])
    probability: float | None = Field(description="Null: none is claimed.", examples=[0.31])


class InternalReview(Review):
    owner: str | None
    segment: str | None
    score: float | None
    band: Band | None
    churn_risk: Risk | None
    nps_mean: float | None
    csat_mean: float | None
    value: Sequence[InternalPoint]
    done: Sequence[InternalDone]
    peers: Sequence[InternalPercentile]
    next_steps: Sequence[InternalNextStep]


ANSWERS = frozenset({"nps_detractor", "nps_passive", "nps_promoter", "csat_low"})
"""Signals of what one person said of us: it is not for the others there to read."""


def for_customer(review: InternalReview) -> Review:
    """Keep what the customer's version names; all else is left out, at every depth."""
    done = [each for each in review.done if each.signal not in ANSWERS]
    next_steps = [each for each in review.next_steps if each.signal not in ANSWERS]
    kept = review.model_copy(update={"done": done, "next_steps": next_steps})
    return Review.model_validate(kept.model_dump() | {"audience": Audience.CUSTOMER})
