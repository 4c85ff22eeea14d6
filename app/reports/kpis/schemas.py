from datetime import date
from typing import ClassVar

from pydantic import Field

from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band
from app.portfolio.schemas import MRR_EXCLUSIONS
from app.reports.kpi import CHANGED_BY, Kpi

COHORT_EXCLUSIONS = Field(
    description="How many accounts are left out. `excluded`: everywhere. `no_rate`: in the revenue"
    " of every month, because one of their currencies has no rate.",
    examples=[{"excluded": 1, "no_rate": 2}],
)


class RevenueRetentionOut(ResponseModel):
    """How much of the revenue and the accounts of the first day is left on the last day."""

    csv_rows: ClassVar[tuple[str, ...]] = ()

    rates_on: date = Field(
        description="The day whose exchange rates convert the amounts of both days."
    )
    gross_revenue_retention: Kpi
    net_revenue_retention: Kpi
    logo_churn: Kpi


class SegmentLifetimeValue(ResponseModel):
    """The lifetime value of a segment's accounts."""

    segment: str = Field(description="Empty: all accounts.", examples=["smb"])
    clv: Kpi
    clv_to_cost: Kpi | None = Field(description="Null: `cost_cents` was not given.")
    monthly_cents: float | None = Field(
        description="Mean MRR of the accounts that pay.", examples=[49900.0]
    )
    survival: list[float] = Field(
        description="The share of accounts that still pays after 0, 1, 2 … months.",
        examples=[[1.0, 0.97]],
    )
    paying: int = Field(description="Accounts that pay now.", examples=[256])
    ended: int = Field(description="Accounts that no longer pay.", examples=[44])


class LifetimeValueOut(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("segments",)

    horizon_months: int = Field(examples=[36])
    margin: float = Field(examples=[0.8])
    segments: list[SegmentLifetimeValue]


class PurchaseMonth(ResponseModel):
    """What accounts observed to its end bought in one month since their first purchase."""

    month: int = Field(description="Calendar months since the first purchase.", examples=[0])
    observed: int = Field(description="Accounts observed to its end.", examples=[2357])
    active: int = Field(description="Accounts that bought in it.", examples=[402])
    amount: float = Field(description="What they spent in all.", examples=[12044.5])


class PurchaseValueOut(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("months",)

    clv: Kpi
    months: list[PurchaseMonth]


class CohortCell(ResponseModel):
    month: date
    age: int = Field(description="Months since the start month.", examples=[3])
    accounts: int = Field(
        description="Accounts that pay on the last day of the month.", examples=[9]
    )
    retention: float | None = Field(description="Their share of the cohort's size.", examples=[0.9])
    mrr_cents: int = Field(examples=[764400])
    revenue_retention: float | None = Field(
        description="MRR divided by the MRR of the start month.", examples=[1.1]
    )
    mean_score: float | None = Field(description="Mean health score.", examples=[61.5])


class Cohort(ResponseModel):
    start: date = Field(description="The month of the first paid day.")
    size: int = Field(description="Accounts that started in it.", examples=[10])
    exclusions: dict[str, int] = COHORT_EXCLUSIONS
    cells: list[CohortCell]


class CohortsOut(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("cohorts", "cells")

    currency: str = Field(examples=["USD"])
    known_on: date
    exclusions: dict[str, int] = COHORT_EXCLUSIONS
    changed_by: dict[str, int] = CHANGED_BY
    cohorts: list[Cohort]


class BandShare(ResponseModel):
    band: Band
    accounts: int = Field(examples=[25])
    share: float = Field(description="Of the accounts of the day.", examples=[0.09])
    mrr_cents: int = Field(examples=[1593100])
    exclusions: dict[str, int] = MRR_EXCLUSIONS


class DistributionDay(ResponseModel):
    day: date
    accounts: int = Field(examples=[277])
    mean_score: float | None = Field(description="Mean health score.", examples=[61.5])
    exclusions: dict[str, int] = MRR_EXCLUSIONS
    bands: list[BandShare]


class DistributionOut(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("days", "bands")

    currency: str = Field(examples=["USD"])
    days: list[DistributionDay]


class FeedbackTopicOut(ResponseModel):
    """Complaints or requests about one topic. An item is closed when its author got an answer."""

    kind: str = Field(examples=["complaint"])
    topic: str | None = Field(
        description="Without a topic, the product feature.", examples=["export"]
    )
    items: int = Field(examples=[14])
    accounts: int = Field(examples=[9])
    mrr_cents: int = Field(
        description="What these accounts pay now, where an exchange rate is known.",
        examples=[449100],
    )
    no_rate: int = Field(
        description="Accounts whose currency has no rate: not in `mrr_cents`.", examples=[0]
    )
    open: int = Field(examples=[5])
    closed: int = Field(examples=[9])
    median_days_to_close: float | None = Field(description="Of the closed items.", examples=[6.0])
    oldest_open_days: int | None = Field(examples=[41])


class FeedbackReport(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("topics",)

    since: date
    until: date
    currency: str = Field(examples=["USD"])
    changed_by: dict[str, int] = CHANGED_BY
    topics: list[FeedbackTopicOut]
