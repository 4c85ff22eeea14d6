from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from app.core.schemas import ResponseModel
from app.reports.kpi import CHANGED_BY, Kpi


class FindingKind(StrEnum):
    """The kind of condition on a paid day.

    `signal`: the signal was open within 90 days. `feature_unused`: the product feature was not
    used for 28 days. `onboarding_step`: the step was the first one not done.
    """

    SIGNAL = "signal"
    FEATURE_UNUSED = "feature_unused"
    ONBOARDING_STEP = "onboarding_step"


class PaidDays(ResponseModel):
    """Paid days of accounts, and how many accounts churned on them."""

    paid_days: int = Field(examples=[4200])
    left: int = Field(description="Churned accounts.", examples=[9])


class ChurnFinding(ResponseModel):
    """An association: the condition goes with churn, and need not be its cause."""

    what: FindingKind
    key: str = Field(
        description="The key of the signal, product feature or onboarding step.",
        examples=["champion_inactive"],
    )
    name: str = Field(
        description="Its name; of a signal, in the language of the answer.",
        examples=["An inactive champion"],
    )
    n: int = Field(description="Accounts that met the condition on any paid day.", examples=[31])
    held: PaidDays = Field(description="Paid days on which the condition was met.")
    otherwise: PaidDays = Field(description="Paid days that they are compared with.")
    lift: float | None = Field(
        description="The ratio of the two churn rates. Null: see `reason`.", examples=[2.4]
    )
    low: float | None = Field(description="Low end of the 95 % interval.", examples=[1.3])
    high: float | None = Field(description="High end of the 95 % interval.", examples=[4.6])
    p_value: float | None = Field(examples=[0.004])
    q_value: float | None = Field(
        description="The p-value corrected for all findings (Benjamini-Hochberg).",
        examples=[0.02],
    )
    is_clear: bool = Field(description="`q_value` is at most 0.05.")
    reason: str | None = Field(
        description="Why there is no lift: `no_paid_days`, `too_few_left`,"
        " `nothing_to_compare_with`,"
        " `nobody_left_otherwise`."
    )
    sentence: str = Field(
        examples=[
            (
                "An inactive champion in the last 90 days: this goes with 2.4 times the"
                " churn rate (95 % interval: 1.3 to 4.6)."
            )
        ]
    )
    playbook: str | None = Field(
        description="The shipped playbook that acts on the condition.",
        examples=["find_next_champion"],
    )


class TenureShare(ResponseModel):
    days: str = Field(
        description="Days from the start to the first day not paid.", examples=["8-30"]
    )
    left: int = Field(description="Accounts that churned after so many days.", examples=[12])
    share: float = Field(description="Their share of all churned accounts.", examples=[0.24])


class ChurnReason(ResponseModel):
    reason: str | None = Field(description="Null: no reason was given.", examples=["too expensive"])
    accounts: int = Field(examples=[4])
    mrr_cents: int = Field(
        description="Their last MRR, where an exchange rate is known.", examples=[199600]
    )
    no_rate: int = Field(description="Accounts whose currency has no rate.", examples=[0])


class ChurnCausesOut(ResponseModel):
    """When and why accounts churn."""

    csv_rows: ClassVar[tuple[str, ...]] = ("findings",)

    left: Kpi
    within_7_days: Kpi
    median_days: Kpi
    tenure: list[TenureShare]
    findings: list[ChurnFinding] = Field(description="Associations, lowest `q_value` first.")
    reasons: list[ChurnReason]
    currency: str = Field(examples=["USD"])
    changed_by: dict[str, int] = CHANGED_BY
