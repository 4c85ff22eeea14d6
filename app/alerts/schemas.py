"""Alerts and their rules on the wire."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, Strict, model_validator

from app.alerts.alert_queries import ListedAlert
from app.alerts.rules import BUILT_IN_RULES, AlertOperator, AlertRuleConfig
from app.alerts.tables import AlertRule
from app.core.schemas import WHOLE_NUMBER, RequestModel, ResponseModel, Text, Timestamp
from app.portfolio.schemas import FilterJson
from app.signals.signal import Severity

MOST_DAYS = 366
EXAMPLE = BUILT_IN_RULES["health_at_risk"].model_dump(mode="json")


class AlertStatus(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AlertVerdict(StrEnum):
    VALID = "valid"
    FALSE_POSITIVE = "false_positive"
    TOO_EARLY = "too_early"


class AlertOut(ResponseModel):
    """One episode of a rule and an account."""

    id: str = Field(examples=["alr_019d0a5f9c00a1b2c3d4e5f6"])
    account_id: str = Field(examples=["acme"])
    account_name: str | None = Field(examples=["Acme Ltd"])
    rule: str = Field(examples=["health_at_risk"])
    rule_name: str = Field(examples=["Health at risk"])
    rule_version: int = Field(examples=[1])
    signal: str = Field(examples=["health_score"])
    condition: str = Field(examples=["enters_band at_risk"])
    direction: str = Field(examples=["down"])
    severity: Severity
    state: AlertStatus
    episode: int = Field(description="Which one of this rule and account.", examples=[1])
    flapping: bool = Field(description="It opens so often that it is kept open.", examples=[False])
    previous: float | str | None = Field(description="The day before.", examples=[31.5])
    current: float | str | None = Field(description="When it opened.", examples=[22.0])
    threshold: float | str | None = Field(examples=[25.0])
    last: float | str | None = Field(description="When it was resolved.", examples=[None])
    drivers: list[str] = Field(examples=[["Depth fell from 15 to 9 active users: −6.1 points."]])  # noqa: RUF001 - a real minus
    scorecard_version: int | None = Field(examples=[1])
    model_version: str | None = Field(examples=[None])
    revenue_at_risk_cents: int = Field(
        description="ARR times the probability of churn; where none is claimed, the ARR.",
        examples=[239880],
    )
    revenue_at_risk_basis: str = Field(
        description="`probability` or `arr` (docs/churn.md).", examples=["arr"]
    )
    assignee: str | None = Field(examples=["kim@example.com"])
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(examples=[None])
    snoozed_until: datetime | None
    resolved_at: datetime | None
    resolution: str | None = Field(examples=[None])
    feedback: AlertVerdict | None = Field(examples=[None])
    feedback_note: str | None = Field(examples=[None])

    @classmethod
    def of(cls, found: ListedAlert, now: datetime) -> Self:
        alert = found.alert
        status = AlertStatus.ACKNOWLEDGED if alert.acknowledged_at else AlertStatus.OPEN
        return cls.from_row(
            alert,
            account_name=found.name,
            rule=alert.rule_key,
            state=AlertStatus.RESOLVED if alert.resolved_at else status,
            flapping=alert.resolved_at is None and found.kept.state.is_flapping(now),
            revenue_at_risk_cents=found.revenue_at_risk_cents,
            revenue_at_risk_basis=found.basis,
            snoozed_until=found.kept.snoozed_until,
        )


class AlertAssignmentIn(RequestModel):
    assignee: Text | None = Field(description="Null: nobody.", examples=["kim@example.com"])


class AlertSnoozeIn(RequestModel):
    until: Timestamp | None = Field(
        description="Until then nobody is told of it. Null: from now on again.",
        examples=["2026-12-01T09:00:00Z"],
    )


class AlertFeedbackIn(RequestModel):
    verdict: AlertVerdict
    note: Text | None = Field(None, examples=["They were on holiday."])


class AlertRuleIn(AlertRuleConfig):
    filter: FilterJson = Field(default_factory=dict)

    @model_validator(mode="after")
    def count_days(self) -> Self:
        """Of what is sent, not of what is stored: that must stay readable."""
        if self.operator is AlertOperator.ABSENT_FOR and not 0 <= (self.fire_at or 0) <= MOST_DAYS:
            raise ValueError(f"fire_at of absent_for is a number of days from 0 to {MOST_DAYS}.")
        return self


class AlertRuleOut(ResponseModel):
    """A rule in the version that holds. ``rule`` can be sent back as it is."""

    key: str = Field(examples=["health_at_risk"])
    version: int = Field(description="One more with each change.", examples=[1])
    built_in: bool = Field(description="Every workspace has it.", examples=[True])
    clear_at: float = Field(
        description="Where it is over: as said, or a distance from `fire_at`.", examples=[5.0]
    )
    rule: AlertRuleConfig = Field(examples=[EXAMPLE])

    @classmethod
    def of(cls, key: str, version: int, rule: AlertRuleConfig) -> Self:
        return cls(
            key=key,
            version=version,
            built_in=key in BUILT_IN_RULES,
            clear_at=rule.clear_threshold,
            rule=rule,
        )


class AlertRuleVersionOut(ResponseModel):
    version: int = Field(examples=[2])
    active: bool
    created_at: datetime
    created_by: str = Field(examples=["key:0123456789"])
    rule: AlertRuleConfig = Field(examples=[EXAMPLE])

    @classmethod
    def of(cls, row: AlertRule) -> Self:
        return cls.from_row(row, rule=row.config)


class AlertRulePreviewOut(ResponseModel):
    """How many accounts a rule is about, and for how many it would open at once."""

    count: int = Field(description="Let through by the filter.", examples=[120])
    mrr_cents: int = Field(description="What they pay a month together.", examples=[598800])
    looked_at: int = Field(description="Of how many the breach was tried.", examples=[120])
    breaching: int = Field(examples=[14])
    breaching_mrr_cents: int = Field(examples=[69900])


Days = Annotated[int, Strict(), Field(ge=1, le=365, examples=[90]), WHOLE_NUMBER]


class AlertRuleBacktestIn(RequestModel):
    days: Days = 90


class CaughtAccountOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    churned_on: date
    days_before: int = Field(examples=[41])


class AlertRuleBacktestOut(ResponseModel):
    """What a rule would have done in the last days, of the scores as they were written then."""

    since: date
    until: date
    accounts: int = Field(description="How many were looked at.", examples=[300])
    of_accounts: int = Field(description="How many there are.", examples=[300])
    alerts: int = Field(examples=[24])
    accounts_alerted: int = Field(examples=[21])
    alerts_per_account: float = Field(description="Of those looked at.", examples=[0.08])
    churned: int = Field(description="Accounts that left in these days.", examples=[9])
    caught: int = Field(description="Of those, for how many it had opened.", examples=[7])
    days_before_median: float | None = Field(examples=[38.0])
    caught_accounts: list[CaughtAccountOut] = Field(description="The first hundred.")
    false_alarms: int = Field(description="Alerts of accounts that have not left.", examples=[15])


class AlertRuleStatsOut(ResponseModel):
    opened: int = Field(examples=[24])
    open: int = Field(examples=[4])
    resolved: int = Field(examples=[20])
    acknowledged: int = Field(examples=[18])
    valid: int = Field(examples=[9])
    false_positive: int = Field(examples=[2])
    too_early: int = Field(examples=[1])
    false_positive_rate: float | None = Field(
        description="Of those with feedback; null without any.", examples=[0.1667]
    )
