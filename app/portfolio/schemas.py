"""Wire types of account lists, filters and saved segments."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field, Strict

from app.churn.model.levels import ModelStage
from app.churn.schemas import (
    BASIS_DESCRIPTION,
    PROBABILITY_HIGH,
    PROBABILITY_LOW,
    RevenueAtRiskTotal,
    RiskLevel,
)
from app.churn.scoring.revenue import RevenueBasis
from app.churn.scoring.risk import ChurnStatus, current_status
from app.core.filters.openapi import filter_marker
from app.core.schemas import NO_NUL, WHOLE_NUMBER, Id, JsonObject, RequestModel, ResponseModel, Text
from app.health.definition.scorecard import Band
from app.health.scoring.assess import MRR_CENTS, HealthStatus, PriceStatus
from app.portfolio.account_pages import AccountRow
from app.portfolio.account_queries import CHURN_COLUMNS, AccountTotal
from app.portfolio.fields import OTHER_SORT_NAMES, AccountSort

FILTER_EXAMPLE = {
    "and": [{"band": ["at_risk", "watch"]}, {"field": "mrr_cents", "op": "gte", "value": 1}]
}
FILTER_SCHEMA_NAME = "AccountFilter"
SORT_PATTERN = f"^-?({'|'.join((*AccountSort, *OTHER_SORT_NAMES))})$"
SORT_DESCRIPTION = (
    "The sort order; a leading minus makes it descending. Null sorts last either way."
)

FilterJson = Annotated[
    JsonObject,
    Field(
        description="The accounts that match; an empty filter matches all (docs/lists.md).",
        examples=[FILTER_EXAMPLE],
        json_schema_extra=filter_marker(FILTER_SCHEMA_NAME),
    ),
]


class ScoreTrend(ResponseModel):
    """The change of the score in points; null if there was no score at that time."""

    d7: float | None = Field(description="Over 7 days.", examples=[-1.5])
    d28: float | None = Field(description="Over 28 days.", examples=[-9.25])
    d90: float | None = Field(description="Over 90 days.", examples=[None])


class ChurnRiskSummary(ResponseModel):
    """The churn risk of an account; without one every field but the revenue is null."""

    status: ChurnStatus | None = None
    level: RiskLevel | None = None
    probability: float | None = Field(
        None,
        description="The probability of churn in the horizon; null if no model claims one.",
        examples=[0.2],
    )
    probability_low: float | None = PROBABILITY_LOW
    probability_high: float | None = PROBABILITY_HIGH
    stage: ModelStage | None = Field(None, description="The stage of the model that evaluated it.")
    horizon_days: int | None = Field(None, examples=[90])
    revenue_at_risk_cents: int | None = Field(
        None,
        description="Of one year's revenue; `revenue_basis` tells how it was computed. Null: a part"
        " of the price has no exchange rate.",
        examples=[119760],
    )
    revenue_basis: RevenueBasis | None = Field(None, description=BASIS_DESCRIPTION)
    as_of: date | None = None


class AccountListItem(ResponseModel):
    """An account in a list."""

    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Ltd"])
    segment: str | None = Field(examples=["smb"])
    owner: str | None = Field(examples=["kim@example.com"])
    parent_id: str | None = Field(examples=[None])
    plan: str | None = Field(examples=["team"])
    mrr_cents: int | None = MRR_CENTS
    price_status: PriceStatus | None
    currency: str | None = Field(examples=["USD"])
    price_cents: float | None = Field(
        description="Mean MRR over the paid days of the window.", examples=[49900.0]
    )
    seats: int | None = Field(examples=[10])
    renewal_on: date | None
    notice_on: date | None = Field(description="The last day to give notice before the renewal.")
    last_used_on: date | None
    value_leak_cents: int | None = Field(
        description="The monthly price of unused product features.", examples=[1200]
    )
    value: float | None = Field(examples=[61.5])
    band: Band
    status: HealthStatus
    coverage: float = Field(examples=[1.0])
    trend: ScoreTrend
    churn_risk: ChurnRiskSummary
    as_of: date | None
    computed_at: datetime | None

    @classmethod
    def of(cls, row: AccountRow) -> Self:
        columns = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way
        del columns["sort_value"]  # only cursors need it
        risk = {name: columns.pop(f"churn_{name}") for name in CHURN_COLUMNS}
        risk["status"] = current_status(risk["status"], columns["last_used_on"])
        risk |= {name: columns.pop(name) for name in ("revenue_at_risk_cents", "revenue_basis")}
        trend = ScoreTrend(d7=columns.pop("d7"), d28=columns.pop("d28"), d90=columns.pop("d90"))
        churn_risk = ChurnRiskSummary(**risk)
        return cls(value=columns.pop("score"), trend=trend, churn_risk=churn_risk, **columns)


class AccountSelection(RequestModel):
    """A selection of accounts: those that match the filter and the saved segment."""

    filter: FilterJson = Field(default_factory=dict)
    segment_key: Id | None = Field(None, description="The key of a saved segment.", examples=[None])


class AccountQuery(AccountSelection):
    sort: Annotated[str, Field(pattern=SORT_PATTERN, description=SORT_DESCRIPTION)] = "account_id"
    limit: Annotated[int, Strict(), Field(ge=1, le=1000), WHOLE_NUMBER] = 100
    cursor: Annotated[str, Field(max_length=2000, pattern=NO_NUL)] | None = Field(
        None, description="`next_cursor` of the previous page.", examples=[None]
    )


MRR_EXCLUSIONS = Field(
    description="How many accounts the money leaves out. `no_rate`: their currency has no rate.",
    examples=[{"no_rate": 0}],
)


def total_fields(total: AccountTotal) -> dict[str, Any]:
    """Return a total as fields of a response."""
    exclusions = {"no_rate": total.no_rate}
    return {
        "count": total.accounts,
        "mrr_cents": total.mrr_cents,
        "revenue_at_risk": RevenueAtRiskTotal.of_parts(
            total.expected_cents, total.low_cents, total.high_cents, total.assumed_cents
        ),
        "exclusions": exclusions,
    }


class AccountTotalOut(ResponseModel):
    """The number of accounts, their total MRR and the revenue at risk."""

    count: int = Field(examples=[12])
    mrr_cents: int = Field(examples=[598800])
    revenue_at_risk: RevenueAtRiskTotal
    exclusions: dict[str, int] = MRR_EXCLUSIONS


class SegmentIn(RequestModel):
    name: Text = Field(examples=["Renewals at risk"])
    filter: FilterJson


class SegmentOut(ResponseModel):
    """A saved segment with the total of its current accounts."""

    key: str = Field(examples=["renewals-at-risk"])
    name: str = Field(examples=["Renewals at risk"])
    filter: dict[str, Any] = Field(examples=[FILTER_EXAMPLE])
    version: int = Field(description="Increases by one with each change.", examples=[1])
    created_at: datetime
    updated_at: datetime
    count: int = Field(examples=[12])
    mrr_cents: int = Field(description="The total MRR of its accounts.", examples=[598800])
    revenue_at_risk: RevenueAtRiskTotal
    exclusions: dict[str, int] = MRR_EXCLUSIONS
