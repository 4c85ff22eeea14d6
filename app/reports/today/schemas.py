from datetime import date, datetime

from pydantic import Field

from app.churn.schemas import BASIS_DESCRIPTION
from app.churn.scoring.revenue import RevenueBasis
from app.core.schemas import ResponseModel
from app.health.definition.scorecard import Band


class TodayStep(ResponseModel):
    """The first suggestion for the account, by rank."""

    id: str = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: str = Field(examples=["wake_dormant"])
    title: str = Field(examples=["Wake a dormant account"])
    next_step: str = Field(examples=["Call Acme and ask what stopped them."])
    value_cents: float = Field(description="What it is expected to save.", examples=[14808.4])


class TodayAlert(ResponseModel):
    """An open alert that nobody has acknowledged or snoozed."""

    id: str = Field(examples=["al_019aa1b2c3d4e5f60718293a"])
    rule: str = Field(examples=["health_at_risk"])
    name: str = Field(examples=["Health at risk"])
    severity: str = Field(examples=["high"])
    opened_at: datetime


class PendingBreach(ResponseModel):
    """A breach of a rule that has not lasted long enough for an alert."""

    rule: str = Field(examples=["health_sharp_drop"])
    name: str = Field(examples=["Health fell by 20 points in 28 days"])
    since: datetime | None
    opens_at: datetime | None = Field(description="When the alert opens if the breach goes on.")


class DueTask(ResponseModel):
    """A task that is due today or was due before."""

    id: str = Field(examples=["task_5f0c1c5c3a2b4d6e8f90"])
    title: str = Field(examples=["Send the offer for the audit log"])
    owner: str | None = Field(examples=["kim@example.com"])
    due_on: date


class TodayAccount(ResponseModel):
    """An account that needs something: the money at stake, the time left, why, and what to do."""

    account_id: str = Field(examples=["acme"])
    name: str | None = Field(examples=["Acme Corp"])
    owner: str | None = Field(examples=["kim@example.com"])
    score: float | None = Field(examples=[31.2])
    band: Band
    revenue_at_risk_cents: int | None = Field(
        description="Of one year's revenue. Null: a part of the price has no exchange rate.",
        examples=[598800],
    )
    revenue_basis: RevenueBasis = Field(description=BASIS_DESCRIPTION)
    arr_cents: int | None = Field(examples=[1996000])
    notice_on: date | None = Field(description="The last day of notice.")
    days_to_notice: int | None = Field(description="Negative: it is over.", examples=[12])
    renewal_on: date | None
    days_to_renewal: int | None = Field(examples=[42])
    why: str = Field(
        description="The most severe signal in one sentence; without one the alert, the breach or"
        " the task.",
        examples=["Nobody has used the product for 21 days, since 2026-03-01."],
    )
    next_step: TodayStep | None
    alerts: list[TodayAlert]
    pending: list[PendingBreach]
    tasks: list[DueTask]
