"""Request and response models of alerts and alert rules."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, Strict, model_validator

from app.alerts.evaluation import StoredState
from app.alerts.queries import ListedAlert
from app.alerts.rules import BUILT_IN_RULES, AlertOperator, AlertRuleConfig
from app.alerts.tables import AlertRule
from app.churn.schemas import BASIS_DESCRIPTION
from app.core.schemas import WHOLE_NUMBER, RequestModel, ResponseModel, Text, Timestamp
from app.portfolio.schemas import FilterJson
from app.signals.signal import Severity

MAX_ABSENT_DAYS = 366
EXAMPLE_RULE = BUILT_IN_RULES["health_at_risk"].model_dump(mode="json")


class AlertStatus(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AlertVerdict(StrEnum):
    VALID = "valid"
    FALSE_POSITIVE = "false_positive"
    TOO_EARLY = "too_early"


class AlertOut(ResponseModel):
    """An alert: one episode of a rule for an account."""

    id: str = Field(examples=["alr_019d0a5f9c00a1b2c3d4e5f6"])
    account_id: str = Field(examples=["acme"])
    account_name: str | None = Field(examples=["Acme Ltd"])
    rule: str = Field(description="The key of the rule.", examples=["health_at_risk"])
    rule_name: str = Field(examples=["Health at risk"])
    rule_version: int = Field(examples=[1])
    signal: str = Field(description="What the rule watches.", examples=["health_score"])
    condition: str = Field(examples=["enters_band at_risk"])
    direction: str = Field(description="`up` or `down`.", examples=["down"])
    severity: Severity
    state: AlertStatus
    episode: int = Field(
        description="The number of this alert for the rule and account.", examples=[1]
    )
    flapping: bool = Field(
        description="Whether it stays open because it opened three times within a week.",
        examples=[False],
    )
    previous: float | str | None = Field(
        description="The value of the day before, or the value that a drop is measured from.",
        examples=[31.5],
    )
    current: float | str | None = Field(description="The value at the opening.", examples=[22.0])
    threshold: float | str | None = Field(examples=[25.0])
    last: float | str | None = Field(description="The value at the resolution.", examples=[None])
    drivers: list[str] = Field(
        description="What moved the value most: up to three sentences.",
        examples=[["Depth fell from 15 to 9 active users: −6.1 points."]],  # noqa: RUF001 - a real minus
    )
    scorecard_version: int | None = Field(examples=[1])
    model_version: str | None = Field(examples=[None])
    revenue_at_risk_cents: int | None = Field(
        description="Of one year's revenue; `revenue_at_risk_basis` tells how it was computed."
        " Null: a part of the price has no exchange rate.",
        examples=[239880],
    )
    revenue_at_risk_basis: str = Field(description=BASIS_DESCRIPTION, examples=["probability"])
    assignee: str | None = Field(examples=["kim@example.com"])
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(examples=[None])
    snoozed_until: datetime | None
    resolved_at: datetime | None
    resolution: str | None = Field(
        description="Why it was resolved, such as `recovered` or `by_hand`.", examples=[None]
    )
    feedback: AlertVerdict | None = Field(examples=[None])
    feedback_note: str | None = Field(examples=[None])

    @classmethod
    def from_listed(cls, listed: ListedAlert, now: datetime) -> Self:
        alert = listed.Alert
        stored = StoredState.from_row(listed.AlertState) if listed.AlertState else StoredState()
        status = AlertStatus.ACKNOWLEDGED if alert.acknowledged_at else AlertStatus.OPEN
        return cls.from_row(
            alert,
            account_name=listed.name,
            rule=alert.rule_key,
            state=AlertStatus.RESOLVED if alert.resolved_at else status,
            flapping=alert.resolved_at is None and stored.state.is_flapping(now),
            revenue_at_risk_cents=listed.revenue_at_risk_cents,
            revenue_at_risk_basis=listed.revenue_at_risk_basis,
            snoozed_until=stored.snoozed_until,
        )


class AlertAssignmentIn(RequestModel):
    assignee: Text | None = Field(
        description="Null removes the assignee.", examples=["kim@example.com"]
    )


class AlertSnoozeIn(RequestModel):
    until: Timestamp | None = Field(
        description="Hold notifications back until this time. Null ends the snooze.",
        examples=["2026-12-01T09:00:00Z"],
    )


class AlertFeedbackIn(RequestModel):
    verdict: AlertVerdict
    note: Text | None = Field(None, examples=["They were on holiday."])


class AlertRuleIn(AlertRuleConfig):
    filter: FilterJson = Field(default_factory=dict)

    @model_validator(mode="after")
    def check_absent_days(self) -> Self:
        """Check requests only: stored rules must stay readable."""
        if (
            self.operator is AlertOperator.ABSENT_FOR
            and not 0 <= (self.fire_at or 0) <= MAX_ABSENT_DAYS
        ):
            raise ValueError(f"fire_at of absent_for must be 0 to {MAX_ABSENT_DAYS} days.")
        return self


class AlertRuleOut(ResponseModel):
    """The active version of a rule. ``rule`` can be sent back unchanged."""

    key: str = Field(examples=["health_at_risk"])
    version: int = Field(description="Increases by one with each change.", examples=[1])
    built_in: bool = Field(description="Whether every workspace has the rule.", examples=[True])
    clear_at: float = Field(
        description="The threshold at which the breach is over, given or default.", examples=[5.0]
    )
    rule: AlertRuleConfig = Field(examples=[EXAMPLE_RULE])

    @classmethod
    def from_version(cls, key: str, version: int, rule: AlertRuleConfig) -> Self:
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
    rule: AlertRuleConfig = Field(examples=[EXAMPLE_RULE])

    @classmethod
    def from_version_row(cls, row: AlertRule) -> Self:
        return cls.from_row(row, rule=row.config)


class AlertRulePreviewOut(ResponseModel):
    """How many accounts a rule covers, and how many of them breach it now."""

    count: int = Field(description="Accounts that match the filter.", examples=[120])
    mrr_cents: int = Field(description="The monthly revenue of these accounts.", examples=[598800])
    looked_at: int = Field(description="How many of them were tested for a breach.", examples=[120])
    breaching: int = Field(examples=[14])
    breaching_mrr_cents: int = Field(examples=[69900])
    exclusions: dict[str, int] = Field(
        description="How many accounts `mrr_cents` leaves out. `no_rate`: a part of the price has"
        " no exchange rate.",
        examples=[{"no_rate": 0}],
    )
    breaching_exclusions: dict[str, int] = Field(
        description="The same of `breaching_mrr_cents`.", examples=[{"no_rate": 0}]
    )


Days = Annotated[int, Strict(), Field(ge=1, le=365, examples=[90]), WHOLE_NUMBER]


class AlertRuleBacktestIn(RequestModel):
    days: Days = 90


class CaughtAccountOut(ResponseModel):
    account_id: str = Field(examples=["acme"])
    churned_on: date
    days_before: int = Field(examples=[41])


class AlertRuleBacktestOut(ResponseModel):
    """What a rule would have done on past days, with the scores as they were written then."""

    since: date
    until: date
    accounts: int = Field(
        description="Accounts that were evaluated: the filter matched them on some day.",
        examples=[300],
    )
    of_accounts: int = Field(description="All accounts with a score.", examples=[300])
    alerts: int = Field(examples=[24])
    accounts_alerted: int = Field(examples=[21])
    alerts_per_account: float = Field(description="Alerts per evaluated account.", examples=[0.08])
    churned: int = Field(description="Accounts that churned in the period.", examples=[9])
    caught: int = Field(
        description="Churned accounts with an alert before the churn.", examples=[7]
    )
    days_before_median: float | None = Field(
        description="Median days from the last alert before the churn to the churn.",
        examples=[38.0],
    )
    caught_accounts: list[CaughtAccountOut] = Field(description="At most 100 of them.")
    false_alarms: int = Field(
        description="Alerts of accounts that have not churned.", examples=[15]
    )
    filtered_by_today: list[str] = Field(
        description="Fields of the filter whose past is not stored: they are judged by today's"
        " values, all others by what was known on each day.",
        examples=[["traits.tier"]],
    )


class AlertRuleStatsOut(ResponseModel):
    opened: int = Field(examples=[24])
    open: int = Field(examples=[4])
    resolved: int = Field(examples=[20])
    acknowledged: int = Field(examples=[18])
    valid: int = Field(examples=[9])
    false_positive: int = Field(examples=[2])
    too_early: int = Field(examples=[1])
    false_positive_rate: float | None = Field(
        description="The share of alerts with feedback that were wrong; null without feedback.",
        examples=[0.1667],
    )

    @classmethod
    def from_counts(cls, row: Any) -> Self:  # noqa: ANN401 - of load_rule_stats
        rated = row.valid + row.false_positive + row.too_early
        rate = round(row.false_positive / rated, 4) if rated else None
        return cls.from_row(row, false_positive_rate=rate)
