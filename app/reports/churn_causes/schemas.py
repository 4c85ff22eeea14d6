from datetime import date
from enum import StrEnum

from pydantic import Field

from app.core.schemas import ResponseModel
from app.reports.schemas import Kpi


class FindingKind(StrEnum):
    """What held: a signal within 90 days; no use for 28 days; a step that was not done yet."""

    SIGNAL = "signal"
    FEATURE_UNUSED = "feature_unused"
    ONBOARDING_STEP = "onboarding_step"


class PaidDays(ResponseModel):
    """How long accounts paid while it held, or did not, and how many left then."""

    paid_days: int = Field(examples=[4200])
    left: int = Field(examples=[9])


class ChurnFinding(ResponseModel):
    """An association: it goes with leaving, and need not be what makes accounts leave."""

    what: FindingKind
    key: str = Field(examples=["champion_inactive"])
    name: str = Field(examples=["champion_inactive"])
    n: int = Field(description="Accounts for which it held.", examples=[31])
    held: PaidDays
    otherwise: PaidDays
    lift: float | None = Field(
        description="How many times as often accounts leave; null: see `reason`.", examples=[2.4]
    )
    low: float | None = Field(description="The interval of 95 %.", examples=[1.3])
    high: float | None = Field(examples=[4.6])
    p_value: float | None = Field(examples=[0.004])
    q_value: float | None = Field(
        description="Corrected for all that is listed (Benjamini-Hochberg).", examples=[0.02]
    )
    is_clear: bool = Field(description="`q_value` is at most 0.05.")
    reason: str | None = Field(
        description="`too_few_left`, `nothing_to_compare_with`, `nobody_left_otherwise`."
    )
    sentence: str = Field(
        examples=["champion_inactive goes with 2.4 times the churn (95 %: 1.3 to 4.6)."]
    )
    playbook: str | None = Field(description="What answers it.", examples=["find_next_champion"])


class TenureShare(ResponseModel):
    days: str = Field(description="From the start to the first day not paid.", examples=["8-30"])
    left: int = Field(examples=[12])
    share: float = Field(examples=[0.24])


class ChurnReason(ResponseModel):
    reason: str | None = Field(description="Null: none was given.", examples=["too expensive"])
    accounts: int = Field(examples=[4])
    mrr_cents: int = Field(
        description="What they last paid, where a rate is known.", examples=[199600]
    )
    no_rate: int = Field(description="Accounts whose currency has no rate.", examples=[0])


class ChurnCausesOut(ResponseModel):
    """Where and why accounts leave. ``findings`` are associations, the clearest first."""

    left: Kpi
    within_7_days: Kpi
    median_days: Kpi
    tenure: list[TenureShare]
    findings: list[ChurnFinding]
    reasons: list[ChurnReason]
    currency: str = Field(examples=["USD"])


class FeedbackTopicOut(ResponseModel):
    """What accounts complain about or ask for. Not closed: nobody has told them the answer."""

    kind: str = Field(examples=["complaint"])
    topic: str | None = Field(examples=["export"])
    items: int = Field(examples=[14])
    accounts: int = Field(examples=[9])
    mrr_cents: int = Field(
        description="What these accounts pay now, where a rate is known.", examples=[449100]
    )
    open: int = Field(examples=[5])
    closed: int = Field(examples=[9])
    median_days_to_close: float | None = Field(
        description="Of those that are closed.", examples=[6.0]
    )
    oldest_open_days: int | None = Field(examples=[41])


class FeedbackReport(ResponseModel):
    since: date
    until: date
    currency: str = Field(examples=["USD"])
    topics: list[FeedbackTopicOut]


class RenewalQuarter(ResponseModel):
    """Null: no renewal is known."""

    quarter: str | None = Field(examples=["2026-Q2"])
    accounts: int = Field(description="At risk.", examples=[4])
    arr_cents: int = Field(description="12 x MRR of these.", examples=[598800])
    revenue_at_risk_cents: int = Field(
        description="ARR times the probability of churn; ARR where none is known.",
        examples=[120000],
    )
    with_probability: int = Field(description="Accounts for which one is known.", examples=[3])


class ArrAtRiskOut(ResponseModel):
    arr_at_risk: Kpi
    quarters: list[RenewalQuarter]
