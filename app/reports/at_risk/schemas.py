from datetime import datetime
from typing import ClassVar

from pydantic import Field

from app.churn.schemas import BASIS_DESCRIPTION, RevenueAtRiskTotal
from app.churn.scoring.revenue import RevenueBasis
from app.core.schemas import ResponseModel
from app.portfolio.schemas import AccountListItem
from app.reports.kpi import Kpi


class TopDriverOut(ResponseModel):
    """The measure that lowers the health score most."""

    measure: str = Field(examples=["reach"])
    points_missed: float = Field(
        description="How many points the score would gain with this measure at its maximum.",
        examples=[18.06],
    )
    sentence: str = Field(examples=["Reach is 190 end customers; the median is 412."])


class OpenAlertOut(ResponseModel):
    """The most severe open alert; of equally severe ones the oldest."""

    id: str = Field(examples=["al_019aa1b2c3d4e5f60718293a"])
    rule: str = Field(validation_alias="rule_key", examples=["health_at_risk"])
    severity: str = Field(examples=["high"])
    opened_at: datetime


class TopSuggestionOut(ResponseModel):
    """The first suggestion for the account, by rank."""

    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: str = Field(examples=["wake_dormant"])


class AccountAtRiskOut(AccountListItem):
    """An account at risk, with its top driver, most severe alert and first suggestion."""

    revenue_at_risk_cents: int | None = Field(
        description="Of one year's revenue. Null: a part of the price has no exchange rate.",
        examples=[598800],
    )
    revenue_basis: RevenueBasis = Field(description=BASIS_DESCRIPTION)
    top_driver: TopDriverOut | None
    open_alert: OpenAlertOut | None
    suggestion: TopSuggestionOut | None


class RenewalQuarter(ResponseModel):
    """The accounts at risk whose next renewal is in one quarter."""

    quarter: str | None = Field(description="Null: no renewal date is known.", examples=["2026-Q2"])
    accounts: int = Field(description="Accounts at risk.", examples=[4])
    arr_cents: int = Field(description="12 x MRR of these accounts.", examples=[598800])
    revenue_at_risk_cents: int = Field(
        description="`probability_cents` and `assumed_cents` together.", examples=[120000]
    )
    probability_cents: int = Field(
        description="ARR times the probability of churn, of the accounts with one.",
        examples=[100000],
    )
    assumed_cents: int = Field(
        description="30 % of the ARR of the accounts without one.", examples=[20000]
    )
    with_probability: int = Field(
        description="Accounts with a known probability of churn.", examples=[3]
    )


class ArrAtRiskOut(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("quarters",)

    arr_at_risk: Kpi
    revenue_at_risk: RevenueAtRiskTotal
    quarters: list[RenewalQuarter]
