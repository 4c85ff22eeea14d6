from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import Field

from app.core.schemas import NO_NUL, Day, ResponseModel
from app.health.definition.scorecard import Band

Since = Annotated[Day, Query(description="The first day.", examples=["2026-01-01"])]
Until = Annotated[Day, Query(description="The last day.", examples=["2026-03-17"])]
EventNames = Annotated[
    str | None,
    Query(
        max_length=2000,
        pattern=NO_NUL,
        description="Event names with commas between them.",
        examples=["Order Completed"],
    ),
]


class Kpi(ResponseModel):
    """A key figure, and all that it was made of."""

    name: str = Field(examples=["gross_revenue_retention"])
    value: float | None = Field(description="Null: too little is known.", examples=[0.94])
    unit: str = Field(
        description="`share`, `points`, `days`, `cents`, `ratio`.", examples=["share"]
    )
    formula: str = Field(examples=["kept MRR / opening MRR"])
    numerator: float | None = Field(examples=[940000])
    denominator: float | None = Field(examples=[1000000])
    n: int = Field(description="Accounts or answers that were counted.", examples=[120])
    exclusions: dict[str, int] = Field(
        description="Who was left out, and why.", examples=[{"excluded": 2, "no_rate": 1}]
    )
    currency: str | None = Field(description="Of cents.", examples=["USD"])
    since: date | None
    until: date
    known_on: date = Field(description="What became known later is not counted.")


class RevenueOut(ResponseModel):
    """How the revenue of one day fared until another."""

    gross_revenue_retention: Kpi
    net_revenue_retention: Kpi
    logo_churn: Kpi


class SegmentLifetimeValue(ResponseModel):
    """What an account of a segment is worth. An empty segment: of all accounts."""

    segment: str = Field(examples=["smb"])
    clv: Kpi
    clv_to_cost: Kpi | None = Field(description="Null: no cost was named.")
    monthly_cents: float | None = Field(description="Mean MRR of who pays.", examples=[49900.0])
    survival: list[float] = Field(
        description="The share that still pays after 0, 1, 2 … months.", examples=[[1.0, 0.97]]
    )
    paying: int = Field(examples=[256])
    ended: int = Field(examples=[44])


class LifetimeValueOut(ResponseModel):
    horizon_months: int = Field(examples=[36])
    margin: float = Field(examples=[0.8])
    segments: list[SegmentLifetimeValue]


class PurchaseMonth(ResponseModel):
    """What accounts of one age bought; only those count that were seen to its end."""

    month: int = Field(description="Months of 30 days since the first purchase.", examples=[0])
    observed: int = Field(examples=[2357])
    active: int = Field(description="Who bought in it.", examples=[402])
    amount: float = Field(examples=[12044.5])


class PurchaseValueOut(ResponseModel):
    clv: Kpi
    months: list[PurchaseMonth]


class CohortCell(ResponseModel):
    month: date
    age: int = Field(description="Months since the start month.", examples=[3])
    accounts: int = Field(description="Who pays on the last day of the month.", examples=[9])
    retention: float | None = Field(examples=[0.9])
    mrr_cents: int = Field(examples=[764400])
    revenue_retention: float | None = Field(description="Against the start month.", examples=[1.1])
    mean_score: float | None


class Cohort(ResponseModel):
    start: date
    size: int = Field(examples=[10])
    cells: list[CohortCell]


class CohortsOut(ResponseModel):
    currency: str = Field(examples=["USD"])
    known_on: date
    cohorts: list[Cohort]


class BandShare(ResponseModel):
    band: Band
    accounts: int = Field(examples=[25])
    share: float = Field(examples=[0.09])
    mrr_cents: int = Field(examples=[1593100])


class DistributionDay(ResponseModel):
    day: date
    accounts: int = Field(examples=[277])
    mean_score: float | None
    bands: list[BandShare]


class DistributionOut(ResponseModel):
    currency: str = Field(examples=["USD"])
    days: list[DistributionDay]
