"""The envelope of a health answer."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.health.assess import PriceStatus, Status
from app.health.benchmark import Measure, Normalizer
from app.health.scorecard import Band


class MeasureOut(BaseModel):
    """One measure: what was counted, what that is for the price, and the points it gives."""

    name: Measure
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


class HealthOut(BaseModel):
    """How much value an account gets for what it pays, and what that is made of."""

    model_config = ConfigDict(from_attributes=True)

    account_id: str = Field(examples=["acme"])
    value: float | None = Field(description="Health score, 0-100.", examples=[61.5])
    polarity: Literal["higher_is_better"] = "higher_is_better"
    band: Band
    status: Status
    coverage: float = Field(
        description="Weight of the measures present over all weight.", examples=[1.0]
    )
    measures: list[MeasureOut]
    unused_product_features: list[str] = Field(examples=[["export"]])
    price_status: PriceStatus | None
    price_cents: float | None = Field(
        description="Mean MRR over the paid days of the window.", examples=[49900.0]
    )
    mrr_cents: int = Field(examples=[49900])
    currency: str | None = Field(examples=["USD"])
    seats: int | None = Field(examples=[10])
    plan: str | None = Field(examples=["team"])
    renewal_on: date | None
    last_used_on: date | None
    normalizer: Normalizer | None = Field(description="What the score is a percentile of.")
    benchmark_month: date | None
    benchmark_segment: str | None
    scorecard_version: int | None
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
            **(NO_DETAILS | details),
        )


NO_DETAILS: dict[str, Any] = {
    "measures": [],
    "unused_product_features": [],
    **dict.fromkeys(
        (
            *("price_status", "price_cents", "currency", "seats", "renewal_on", "last_used_on"),
            *("normalizer", "benchmark_month", "benchmark_segment", "scorecard_version"),
        )
    ),
}


class HealthScoresOut(BaseModel):
    """Scores of several accounts; ids that name no account are left out and listed."""

    items: list[HealthOut]
    unknown: list[str] = Field(examples=[["nobody"]])


class HistoryPoint(BaseModel):
    """The score at the end of a day, or of a stretch of it before the band changed."""

    model_config = ConfigDict(from_attributes=True)

    as_of: date
    change: int = Field(description="Counts the changes of band within the day.", examples=[0])
    value: float | None = Field(validation_alias="score", examples=[61.5])
    band: Band
    status: Status
    coverage: float = Field(examples=[1.0])
    mrr_cents: int = Field(examples=[49900])
    details: dict[str, Any] = Field(
        description="Inputs, weights, benchmark and version.", examples=[{"scorecard_version": 1}]
    )
    computed_at: datetime


class HistoryOut(BaseModel):
    account_id: str = Field(examples=["acme"])
    items: list[HistoryPoint]
    next_cursor: str | None = Field(description="Ask again with it; null on the last page.")


class AccountStanding(BaseModel):
    """An account in a list."""

    model_config = ConfigDict(from_attributes=True)

    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Ltd"])
    segment: str | None = Field(examples=["smb"])
    owner: str | None = Field(examples=["kim@example.com"])
    plan: str | None = Field(examples=["team"])
    mrr_cents: int = Field(examples=[49900])
    value: Annotated[float | None, Field(validation_alias="score", examples=[61.5])]
    band: Band
    status: Status
    coverage: float = Field(examples=[1.0])
    as_of: date | None
    computed_at: datetime | None
