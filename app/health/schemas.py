"""The envelope of a health answer."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path
from pydantic import BaseModel, Field

from app.core.schemas import ResponseModel
from app.health.definition.benchmark import Normalizer
from app.health.definition.scorecard import Band
from app.health.rollups.schemas import RollupOut
from app.health.scoring.assess import HealthStatus, PriceStatus

AccountId = Annotated[str, Path(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]


class MeasureOut(BaseModel):
    """One measure: what was counted, what that is for the price, and the points it gives."""

    name: str = Field(examples=["reach"])
    source: str | None = Field(None, description="What is measured.", examples=["reach"])
    group: str | None = None
    score: float | None = Field(description="0-100; null: missing.", examples=[61.5])
    weight: float = Field(examples=[1.0])
    effective_weight: float = Field(
        description="The share of the health score that this measure came to decide.",
        examples=[0.2857],
    )
    raw: float | None = Field(None, description="As counted in the window.", examples=[5.0])
    before: float | None = Field(None, description="In the window before.", examples=[4.0])
    share: float | None = Field(
        None, description="Of what is entitled, bought or there to reach.", examples=[0.42]
    )
    per_dollar: float | None = Field(None, description="For each $100 a month.", examples=[1.25])
    adjusted: float | None = Field(
        None, description="Raw value over price to the power of the elasticity.", examples=[1.4]
    )
    elasticity: float | None = Field(None, examples=[0.9])
    median: float | None = Field(None, description="Of the benchmark.", examples=[6.0])
    median_per_dollar: float | None = Field(None, examples=[1.5])
    points: float | None = Field(None, description="What it adds to the score.", examples=[17.6])
    points_missed: float | None = Field(None, examples=[11.0])


class TrendOut(BaseModel):
    """Points by which the score has moved in so many days; null: it had none then."""

    d7: float | None = Field(None, examples=[-1.5])
    d28: float | None = Field(None, examples=[-9.1])
    d90: float | None = Field(None, examples=[3.0])


class MachineOut(BaseModel):
    """What the score would be if nobody had overruled it."""

    value: float | None = Field(examples=[31.2])
    band: Band
    status: HealthStatus


class AppliedOverrideOut(BaseModel):
    """What a person says instead of the score, why, and until when."""

    value: float = Field(examples=[80.0])
    reason: str = Field(examples=["They signed for two more years yesterday."])
    author: str = Field(examples=["kim@example.com"])
    expires_at: datetime


class UnusedFeatureOut(BaseModel):
    """A product feature that is paid for and not adopted."""

    key: str = Field(examples=["export"])
    share: float = Field(description="Of the price.", examples=[0.2])
    cents: int | None = Field(description="What it stands for a month.", examples=[9980])


class SeatsOut(BaseModel):
    bought: int = Field(examples=[10])
    active: int = Field(examples=[6])
    idle: int = Field(examples=[4])
    idle_cents: int | None = Field(description="Null: the plan names no price.", examples=[8000])


class OverLimitOut(BaseModel):
    """Use beyond what the plan allows."""

    name: str = Field(examples=["users"])
    limit: int = Field(examples=[10])
    used: int = Field(examples=[13])
    over_share: float | None = Field(examples=[0.3])


class EntitlementOut(BaseModel):
    value_leak_cents: int | None = Field(
        description="What is paid in vain a month; null: the price is unknown.", examples=[17980]
    )
    unused: list[UnusedFeatureOut]
    seats: SeatsOut | None
    over_limits: list[OverLimitOut]


class HealthOut(ResponseModel):
    """How much value an account gets for what it pays, and what that is made of."""

    account_id: str = Field(examples=["acme"])
    value: float | None = Field(description="Health score, 0-100.", examples=[61.5])
    polarity: Literal["higher_is_better"] = "higher_is_better"
    band: Band
    status: HealthStatus
    coverage: float = Field(
        description="Weight of the measures present over all weight.", examples=[1.0]
    )
    measures: list[MeasureOut]
    trend: TrendOut
    adjustments: list[str] = Field(description="Reasons of those that were met.", examples=[[]])
    machine: MachineOut | None = Field(description="Beside an override.")
    override: AppliedOverrideOut | None
    rollup: RollupOut | None = Field(
        None, description="Of an account with children, where one account is asked for."
    )
    entitlement: EntitlementOut | None = Field(
        description="What is paid for and not used, and what is used beyond it."
    )
    unused_product_features: list[str] = Field(examples=[["export"]])
    partial_window_days: int | None = Field(
        description="A young account: of how many days there is anything. Null: of both windows.",
        examples=[12],
    )
    price_status: PriceStatus | None
    price_cents: float | None = Field(
        description="Mean MRR over the paid days of the window.", examples=[49900.0]
    )
    mrr_cents: int = Field(examples=[49900])
    currency: str | None = Field(description="Of every price here.", examples=["USD"])
    billed_in: str | None = Field(description="The currency of the contract.", examples=["EUR"])
    seats: int | None = Field(examples=[10])
    plan: str | None = Field(examples=["team"])
    renewal_on: date | None
    notice_on: date | None = Field(
        description="The last day on which notice for the next renewal can be given."
    )
    last_used_on: date | None
    normalizer: Normalizer | None = Field(description="What the score is a percentile of.")
    benchmark_month: date | None
    benchmark_segment: str | None
    benchmark_id: str | None = Field(examples=["2026-03-5d1f0b7c2a9e"])
    scorecard_version: int | None
    card: str | None = Field(description="The rule that it was judged by.", examples=["default"])
    as_of: date | None
    data_through: datetime | None = Field(description="Events committed by then are counted.")
    computed_at: datetime | None

    @classmethod
    def of(cls, standing: Any) -> Self:  # noqa: ANN401 - a row of the standings
        """Read a row; an account that no refresh has reached yet has empty details."""
        details = standing.details or {}
        return cls(
            account_id=standing.account_id,
            value=standing.score,
            band=standing.band,
            status=standing.status,
            coverage=standing.coverage,
            mrr_cents=standing.mrr_cents,
            plan=standing.plan,
            as_of=standing.as_of,
            data_through=standing.data_through,
            computed_at=standing.computed_at,
            **{name: details.get(name, absent) for name, absent in DETAIL_DEFAULTS.items()},
        )


DETAIL_DEFAULTS: dict[str, Any] = {
    "measures": [],
    "trend": {},
    "adjustments": [],
    "unused_product_features": [],
    **dict.fromkeys(
        (
            *(
                "machine",
                "override",
                "entitlement",
                "partial_window_days",
                "price_status",
                "price_cents",
            ),
            *("currency", "billed_in", "seats", "renewal_on", "notice_on", "last_used_on"),
            *(
                "normalizer",
                "benchmark_month",
                "benchmark_segment",
                "benchmark_id",
                "scorecard_version",
                "card",
            ),
        )
    ),
}


class HealthHistoryPoint(ResponseModel):
    """The score at the end of a day, or of a stretch of it before the band changed."""

    as_of: date
    restatement: int = Field(description="0: as it was first written.", examples=[0])
    change: int = Field(description="Counts the changes of band within the day.", examples=[0])
    value: float | None = Field(validation_alias="score", examples=[61.5])
    band: Band
    status: HealthStatus
    coverage: float = Field(examples=[1.0])
    mrr_cents: int = Field(examples=[49900])
    details: dict[str, Any] = Field(
        description="Inputs, weights, benchmark and version.", examples=[{"scorecard_version": 1}]
    )
    computed_at: datetime


class HealthHistoryOut(BaseModel):
    account_id: str = Field(examples=["acme"])
    items: list[HealthHistoryPoint]
    next_cursor: str | None = Field(description="Ask again with it; null on the last page.")
