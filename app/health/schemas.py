"""API schemas of an account's health and its history."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path
from pydantic import Field, model_validator

from app.accounts.refresh_queue import parked_reason
from app.accounts.tables import ParkedAccount
from app.core.pagination import Page
from app.core.schemas import ResponseModel
from app.features.values import known_mrr_cents
from app.health.definition.benchmark import Normalizer
from app.health.definition.scorecard import Band
from app.health.rollups.rollup import RollupOut
from app.health.scoring.assess import MRR_CENTS, HealthStatus, PriceStatus

AccountId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00]+$",
        description="Id of the account.",
        examples=["acme"],
    ),
]

ScorecardVersion = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the version.")]


class ParkedOut(ResponseModel):
    """Why an account is not scored any more: its refresh failed three times, alone."""

    reason: str = Field(
        description="In words, without any value of the account.",
        examples=[parked_reason("DataError")],
    )
    failed_at: datetime = Field(examples=["2026-03-18T12:00:00Z"])

    @classmethod
    def of(cls, error: str, failed_at: datetime, **values: Any) -> Self:  # noqa: ANN401
        return cls(reason=parked_reason(error), failed_at=failed_at, **values)


class ParkedAccountOut(ParkedOut):
    """An account that is not scored until new data of it arrives, or the next daily sweep."""

    account_id: str = Field(examples=["acme"])
    failures: int = Field(description="Failed refreshes so far.", examples=[3])

    @classmethod
    def from_parked(cls, row: ParkedAccount) -> Self:
        return cls.of(row.error, row.failed_at, account_id=row.account_id, failures=row.failures)


class MeasureOut(ResponseModel):
    """One measure of a score: the number, its relation to the price, and its points."""

    name: str = Field(examples=["reach"])
    source: str | None = Field(None, description="Source of the number.", examples=["reach"])
    group: str | None = Field(None, description="Group whose weight it shares.")
    score: float | None = Field(
        description="0-100; null if the number is unknown.", examples=[61.5]
    )
    weight: float = Field(description="Weight in the scorecard.", examples=[1.0])
    effective_weight: float = Field(
        description="Share of the health score that this measure decides.", examples=[0.2857]
    )
    raw: float | None = Field(None, description="The number in the window.", examples=[5.0])
    before: float | None = Field(
        None, description="The number in the window before.", examples=[4.0]
    )
    share: float | None = Field(
        None, description="Share of the entitled, bought or reachable total.", examples=[0.42]
    )
    per_dollar: float | None = Field(None, description="`raw` per $100 a month.", examples=[1.25])
    adjusted: float | None = Field(
        None, description="`raw` divided by price to the power of the elasticity.", examples=[1.4]
    )
    elasticity: float | None = Field(
        None, description="Growth of usage with price in the benchmark.", examples=[0.9]
    )
    median: float | None = Field(
        None, description="Median of the benchmark; null without peers.", examples=[6.0]
    )
    median_per_dollar: float | None = Field(
        None, description="Median per $100 of the benchmark.", examples=[1.5]
    )
    points: float | None = Field(
        None, description="Points that it adds to the score.", examples=[17.6]
    )
    points_missed: float | None = Field(
        None, description="Points that it could still add.", examples=[11.0]
    )


class TrendOut(ResponseModel):
    """Points by which the score moved in 7, 28 and 90 days; null: no score that many days ago."""

    d7: float | None = Field(None, examples=[-1.5])
    d28: float | None = Field(None, examples=[-9.1])
    d90: float | None = Field(None, examples=[3.0])


class MachineOut(ResponseModel):
    """The score computed without the override."""

    value: float | None = Field(examples=[31.2])
    band: Band
    status: HealthStatus


class AppliedOverrideOut(ResponseModel):
    """A person's value that replaces the score until it expires."""

    value: float = Field(examples=[80.0])
    reason: str = Field(examples=["They signed for two more years yesterday."])
    author: str = Field(examples=["kim@example.com"])
    expires_at: datetime = Field(examples=["2026-06-30T00:00:00Z"])


class UnusedFeatureOut(ResponseModel):
    """A product feature that is paid for but not adopted."""

    key: str = Field(examples=["export"])
    share: float = Field(description="Share of the price.", examples=[0.2])
    cents: int | None = Field(description="Its part of the price a month.", examples=[9980])


class SeatsOut(ResponseModel):
    """How many paid seats of an account are in use, and what the idle ones cost."""

    bought: int = Field(examples=[10])
    active: int = Field(examples=[6])
    idle: int = Field(examples=[4])
    idle_cents: int | None = Field(
        description="Cost of idle seats a month; null if the seat price is unknown.",
        examples=[8000],
    )


class OverLimitOut(ResponseModel):
    """Use by an account above a limit of its plan."""

    name: str = Field(examples=["users"])
    limit: int = Field(examples=[10])
    used: int = Field(examples=[13])
    over_share: float | None = Field(
        description="Use above the limit as a share of it; null if the limit is 0.", examples=[0.3]
    )


class EntitlementOut(ResponseModel):
    """What is paid for but not used, and what is used above the plan's limits."""

    value_leak_cents: int | None = Field(
        description="Paid a month without use; null if the price is unknown.", examples=[17980]
    )
    unused: list[UnusedFeatureOut]
    seats: SeatsOut | None
    over_limits: list[OverLimitOut]


class HealthOut(ResponseModel):
    """How much value an account gets for its price, and how the score is composed."""

    account_id: str = Field(examples=["acme"])
    value: float | None = Field(description="Health score, 0-100.", examples=[61.5])
    polarity: Literal["higher_is_better"] = "higher_is_better"
    band: Band
    status: HealthStatus
    parked: ParkedOut | None = Field(
        None, description="Set while the account is not scored because its refresh fails."
    )
    status_reason: str | None = Field(
        None,
        description="Why there is no score, or an old one, and when there will be one; null with a"
        " fresh or overridden score.",
        examples=[None],
    )
    coverage: float = Field(
        description="Weight of the known measures divided by all weight.", examples=[1.0]
    )
    measures: list[MeasureOut]
    trend: TrendOut
    adjustments: list[str] = Field(description="Reasons of the adjustments applied.", examples=[[]])
    machine: MachineOut | None = Field(description="Set while an override replaces the score.")
    override: AppliedOverrideOut | None
    rollup: RollupOut | None = Field(
        None, description="For an account with children, when a single account is requested."
    )
    entitlement: EntitlementOut | None = Field(
        description="What is paid for but not used, and what is used above the limits."
    )
    unused_product_features: list[str] = Field(examples=[["export"]])
    partial_window_days: int | None = Field(
        description="Days with data of an account younger than both windows; else null.",
        examples=[12],
    )
    price_status: PriceStatus | None
    price_cents: float | None = Field(
        description="Mean MRR over the paid days of the window.", examples=[49900.0]
    )
    mrr_cents: int | None = MRR_CENTS
    currency: str | None = Field(description="Currency of all prices here.", examples=["USD"])
    billed_in: str | None = Field(description="Currency of the contract.", examples=["EUR"])
    seats: int | None = Field(examples=[10])
    plan: str | None = Field(examples=["team"])
    renewal_on: date | None
    notice_on: date | None = Field(
        description="The last day on which notice for the next renewal can be given."
    )
    last_used_on: date | None
    normalizer: Normalizer | None = Field(description="What the account is compared with.")
    benchmark_month: date | None
    benchmark_segment: str | None
    benchmark_id: str | None = Field(examples=["2026-03-5d1f0b7c2a9e"])
    scorecard_version: int | None
    card: str | None = Field(
        description="The scorecard rule that selected the card.", examples=["default"]
    )
    as_of: date | None
    data_through: datetime | None = Field(description="Events committed by then are counted.")
    computed_at: datetime | None

    @classmethod
    def from_account_health(cls, row: Any) -> Self:  # noqa: ANN401 - a row of account health
        """Build the answer from a row of account health; one never scored has no details."""
        empty = dict.fromkeys(HealthOut.model_fields) | EMPTY_DETAILS
        values = empty | (row.details or {}) | row._asdict() | {"value": row.score}
        if row.parked_error:
            values["parked"] = ParkedOut.of(row.parked_error, row.parked_at)
        return cls.model_validate(values)


EMPTY_DETAILS: dict[str, Any] = {
    "polarity": "higher_is_better",
    "measures": [],
    "trend": {},
    "adjustments": [],
    "unused_product_features": [],
}


class HealthHistoryPoint(ResponseModel):
    """The last score of a day, or the last one before a change of band within the day."""

    as_of: date
    restatement: int = Field(
        description="0: as first written; else the number of the restatement.", examples=[0]
    )
    change: int = Field(description="Number of band changes within the day so far.", examples=[0])
    value: float | None = Field(validation_alias="score", examples=[61.5])
    band: Band
    status: HealthStatus
    coverage: float = Field(examples=[1.0])
    mrr_cents: int | None = MRR_CENTS
    details: dict[str, Any] = Field(
        description="Inputs, weights, benchmark and scorecard version.",
        examples=[{"scorecard_version": 1}],
    )
    computed_at: datetime

    @model_validator(mode="after")
    def _hide_parts(self) -> Self:
        self.mrr_cents = known_mrr_cents(self.mrr_cents, self.details)
        return self


class HealthHistoryOut(Page[HealthHistoryPoint]):
    """A page of an account's score history."""

    account_id: str = Field(examples=["acme"])
