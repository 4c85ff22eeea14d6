from datetime import date, datetime
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
    probability_low_cents: int = Field(
        description="The same with `probability_low` of each account.", examples=[65000]
    )
    probability_high_cents: int = Field(
        description="The same with `probability_high` of each account.", examples=[145000]
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


class CalibrationMonth(ResponseModel):
    """What was expected at the beginning of a month, and what came of it within the horizon."""

    month: str = Field(examples=["2026-01"])
    outcomes_known_on: date = Field(
        description="The day on which all outcomes are final: at the end of the horizon, and of the"
        " days in which a contract may still be renewed. Before, the outcomes are null.",
        examples=["2026-04-30"],
    )
    accounts: int = Field(
        description="Accounts with a probability at the beginning of the month.", examples=[120]
    )
    expected: float = Field(description="The sum of the probabilities.", examples=[9.6])
    expected_low: float = Field(description="That of `probability_low`.", examples=[6.4])
    expected_high: float = Field(description="That of `probability_high`.", examples=[13.9])
    churned: int | None = Field(None, description="How many of them churned.", examples=[8])
    churned_over_expected: float | None = Field(None, examples=[0.83])
    ratio_low: float | None = Field(
        None,
        description="The 95 % Poisson interval of `churned_over_expected`.",
        examples=[0.36],
    )
    ratio_high: float | None = Field(None, examples=[1.64])
    expected_mrr_cents: int = Field(description="The sum of MRR x probability.", examples=[479000])
    expected_mrr_low_cents: int = Field(description="With `probability_low`.", examples=[319000])
    expected_mrr_high_cents: int = Field(description="With `probability_high`.", examples=[694000])
    churned_mrr_cents: int | None = Field(
        None, description="The MRR of those that churned, at the beginning.", examples=[412000]
    )
    churned_mrr_over_expected: float | None = Field(None, examples=[0.86])


class RevenueAtRiskCalibrationOut(ResponseModel):
    csv_rows: ClassVar[tuple[str, ...]] = ("months",)

    churn: Kpi
    revenue: Kpi
    months: list[CalibrationMonth] = Field(
        description="The months that begin within the period and in which a model gave"
        " probabilities. An account counts in each of them."
    )
