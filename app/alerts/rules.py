"""The configuration of an alert rule: what it watches, and when alerts open and clear. Pure."""

import math
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, JsonValue, Strict, model_validator
from pydantic_core import PydanticCustomError

from app.alerts.state_machine import CheckResult, Timing
from app.health.definition.measures import NO_NUL, ConfigModel, Name, Number
from app.health.definition.scorecard import Band
from app.signals.signal import Severity

LONGEST_SECONDS = 366 * 86400
DAY = 86400


class SignalKind(StrEnum):
    """The kinds of values that a rule can watch, as in ``health_score`` or ``measure:reach``."""

    HEALTH_SCORE = "health_score"
    CHURN_RISK = "churn_risk"
    DAYS_SINCE_LAST_USE = "days_since_last_use"
    MEASURE = "measure"
    NAMED = "signal"


class AlertOperator(StrEnum):
    BELOW = "below"
    ABOVE = "above"
    DROP_BY = "drop_by"
    ENTERS_BAND = "enters_band"
    ABSENT_FOR = "absent_for"
    DROP_VS_SELF = "drop_vs_self"


DROPS = {AlertOperator.DROP_BY, AlertOperator.DROP_VS_SELF}
"""A drop by exactly ``fire_at`` is a breach; for other operators the value must lie beyond it."""

RISK_LEVELS = ("low", "medium", "high")
BANDS: Mapping[SignalKind, tuple[str, ...]] = {
    SignalKind.HEALTH_SCORE: (Band.AT_RISK, Band.WATCH, Band.HEALTHY),
    SignalKind.CHURN_RISK: RISK_LEVELS,
}

OPERATORS: Mapping[SignalKind, set[AlertOperator]] = {
    SignalKind.HEALTH_SCORE: {*AlertOperator} - {AlertOperator.ABSENT_FOR},
    SignalKind.MEASURE: {*AlertOperator} - {AlertOperator.ENTERS_BAND},
    SignalKind.CHURN_RISK: {AlertOperator.BELOW, AlertOperator.ABOVE, AlertOperator.ENTERS_BAND},
    SignalKind.DAYS_SINCE_LAST_USE: {AlertOperator.BELOW, AlertOperator.ABOVE},
    SignalKind.NAMED: {AlertOperator.ABOVE, AlertOperator.ABSENT_FOR},
}

RANGES: Mapping[SignalKind, tuple[float, float]] = {
    SignalKind.HEALTH_SCORE: (0, 100),
    SignalKind.CHURN_RISK: (0, 1),
    SignalKind.DAYS_SINCE_LAST_USE: (0, math.inf),
    SignalKind.NAMED: (0, 1),
}
"""The range of a value; the range of a measure is unknown."""

DEFAULT_CLEAR_GAP: Mapping[SignalKind, float] = {SignalKind.CHURN_RISK: 0.05, SignalKind.NAMED: 0}
"""The distance from ``fire_at`` to a default ``clear_at``, where it is not five points."""


def _number(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticCustomError("number", "Input should be a number, not text or a boolean.")
    return value


Seconds = Annotated[int, Field(ge=0, le=LONGEST_SECONDS), BeforeValidator(_number)]
Flag = Annotated[bool, Strict()]


def _window(value: object) -> object:
    if value not in (7, 28, 90):
        raise ValueError("window_days must be 7, 28 or 90.")
    return value


class AlertRuleConfig(ConfigModel):
    """One version of a rule. The operator defines the meaning of ``fire_at`` (docs/alerts.md)."""

    name: Name = Field(examples=["Health at risk"])
    signal: str = Field(
        pattern=r"^(health_score|churn_risk|days_since_last_use|(measure|signal):[^\x00]+)$",
        max_length=len("measure:") + 200,  # `{1,200}` in the pattern would take 2 MB of memory
        description="What the rule watches: `health_score`, `churn_risk`, `days_since_last_use`, "
        "`measure:<name>` or `signal:<name>`.",
        examples=["health_score"],
    )
    operator: AlertOperator
    fire_at: Number | None = Field(
        None, description="The threshold at which an alert opens.", examples=[25]
    )
    clear_at: Number | None = Field(
        None,
        description="The threshold at which the breach is over. Null: five points from `fire_at`, "
        "0.05 for churn risk.",
        examples=[30],
    )
    band: str | None = Field(
        None,
        pattern=NO_NUL,
        max_length=20,
        description="The band, for `enters_band` only.",
        examples=[None],
    )
    window_days: Annotated[int, BeforeValidator(_window)] = Field(
        28, description="The window of `drop_by` and `drop_vs_self`: 7, 28 or 90.", examples=[28]
    )
    for_seconds: Seconds = Field(
        0, description="How long a breach must last before an alert opens."
    )
    keep_seconds: Seconds = Field(
        DAY, description="How long the breach must be over before the alert is resolved."
    )
    cooldown_seconds: Seconds = Field(
        DAY, description="How long no new alert can open after one was resolved."
    )
    severity: Severity = Severity.MEDIUM
    owner: Name | None = Field(
        None, description="The assignee of new alerts.", examples=["kim@example.com"]
    )
    filter: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Which accounts the rule covers (docs/lists.md); all if empty.",
        examples=[{}],
    )
    enabled: Flag = True
    on_config_change: Flag = Field(
        default=False, description="Whether new settings, peers or models alone may open an alert."
    )

    @model_validator(mode="after")
    def check_consistency(self) -> Self:
        kind, operator = self.kind, self.operator
        if operator not in OPERATORS[kind]:
            allowed = ", ".join(sorted(OPERATORS[kind]))
            raise ValueError(f"The operator of {kind} must be one of: {allowed}.")
        if (operator is AlertOperator.ENTERS_BAND) != (self.band is not None):
            raise ValueError("band is required for enters_band and not allowed otherwise.")
        if self.band is not None and self.band not in BANDS[kind]:
            raise ValueError(f"The band of {kind} must be one of: {', '.join(BANDS[kind])}.")
        needs_number = operator is not AlertOperator.ENTERS_BAND and kind is not SignalKind.NAMED
        if self.fire_at is None and (needs_number or operator is AlertOperator.ABSENT_FOR):
            raise ValueError(f"fire_at, a number, is required for the operator {operator}.")
        if (self.clear_threshold - self.fire_threshold) * self.sign > 0:
            raise ValueError(
                "fire_at must be 0 or more."
                if self.clear_at is None
                else "clear_at must not be a breach: at least fire_at for below, at most fire_at "
                "for above and drops, at least 0 for enters_band, at most 0 for absent_for."
            )
        return self

    @cached_property
    def kind(self) -> SignalKind:
        return SignalKind(self.signal.partition(":")[0])

    @cached_property
    def subject(self) -> str:
        """The name of the measure or signal."""
        return self.signal.partition(":")[2]

    @cached_property
    def sign(self) -> int:
        """1 if high values are a breach, -1 if low values are."""
        return -1 if self.operator in {AlertOperator.BELOW, AlertOperator.ENTERS_BAND} else 1

    @property
    def condition(self) -> str:
        if self.operator in DROPS:
            return f"{self.operator} in {self.window_days} days"
        return f"{self.operator} {self.band}" if self.band else str(self.operator)

    @property
    def compares_scores(self) -> bool:
        """Whether the rule compares a score with the score ``window_days`` before."""
        of_health = self.kind is SignalKind.HEALTH_SCORE
        return self.operator is AlertOperator.DROP_BY or (self.operator in DROPS and of_health)

    @property
    def direction(self) -> str:
        """The direction in which the value moved when the rule fires."""
        if self.operator is AlertOperator.ENTERS_BAND:
            return "up" if self.band in {Band.HEALTHY, RISK_LEVELS[-1]} else "down"
        return "up" if self.operator is AlertOperator.ABOVE else "down"

    @cached_property
    def fire_threshold(self) -> float:
        """The threshold for the value of the rule; for a band the value is the distance to it."""
        is_plain = self.operator not in {AlertOperator.ENTERS_BAND, AlertOperator.ABSENT_FOR}
        return (self.fire_at or 0.0) if is_plain else 0.0

    @cached_property
    def clear_threshold(self) -> float:
        if self.clear_at is not None:
            return self.clear_at
        if self.operator is AlertOperator.ABSENT_FOR or (self.kind, self.band) in LEVEL_RULES:
            return 0.0
        cleared = self.fire_threshold - self.sign * DEFAULT_CLEAR_GAP.get(self.kind, 5.0)
        if self.sign > 0:
            return max(cleared, 0.0)
        return max(self.fire_threshold, min(cleared, self.range[1]))

    @cached_property
    def range(self) -> tuple[float, float]:
        """The range of the value that is compared with the thresholds."""
        if self.operator in {AlertOperator.ENTERS_BAND, AlertOperator.ABSENT_FOR}:
            return -math.inf, math.inf
        low, high = RANGES.get(self.kind, (-math.inf, math.inf))
        return (-math.inf if self.operator in DROPS else low), high

    @cached_property
    def timing(self) -> Timing:
        absent_days = (self.fire_at or 0) if self.operator is AlertOperator.ABSENT_FOR else 0
        return Timing(
            breach=timedelta(days=absent_days, seconds=self.for_seconds),
            keep=timedelta(seconds=self.keep_seconds),
            cooldown=timedelta(seconds=self.cooldown_seconds),
        )

    @cached_property
    def ignores_config_changes(self) -> bool:
        """Whether a breach caused only by new settings, peers or a new model opens no alert."""
        computed = {SignalKind.HEALTH_SCORE, SignalKind.MEASURE, SignalKind.CHURN_RISK}
        return self.kind in computed and not self.on_config_change

    @property
    def can_fire(self) -> bool:
        return self.check(self.range[self.sign > 0]) is CheckResult.BREACH

    @property
    def can_clear(self) -> bool:
        return self.check(self.range[self.sign < 0]) is CheckResult.CLEAR

    def check(self, value: float | None) -> CheckResult:
        """Compare a value with both thresholds."""
        if value is None:
            return CheckResult.UNKNOWN
        beyond = (value - self.fire_threshold) * self.sign
        if beyond > 0 or (beyond == 0 and self.operator in DROPS):
            return CheckResult.BREACH
        return (
            CheckResult.CLEAR
            if (value - self.clear_threshold) * self.sign <= 0
            else CheckResult.BETWEEN
        )


LEVEL_RULES = {(SignalKind.CHURN_RISK, level) for level in RISK_LEVELS}

BUILT_IN_RULES: Mapping[str, AlertRuleConfig] = {
    "health_at_risk": AlertRuleConfig(
        name="Health at risk",
        signal="health_score",
        operator=AlertOperator.ENTERS_BAND,
        band=Band.AT_RISK,
        severity=Severity.HIGH,
    ),
    "health_sharp_drop": AlertRuleConfig(
        name="Health fell by 20 points in 28 days",
        signal="health_score",
        operator=AlertOperator.DROP_BY,
        fire_at=20,
    ),
    "churn_risk_high": AlertRuleConfig(
        name="Churn risk high",
        signal="churn_risk",
        operator=AlertOperator.ENTERS_BAND,
        band="high",
        severity=Severity.HIGH,
    ),
    "no_use": AlertRuleConfig(
        name="Not used for two weeks",
        signal="days_since_last_use",
        operator=AlertOperator.ABOVE,
        fire_at=14,
    ),
}
"""The rules of every workspace, unless it stores its own version."""
