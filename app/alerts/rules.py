"""What an alert rule says: which number to watch, when to open and when to close. Pure."""

import math
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, JsonValue, Strict, model_validator
from pydantic_core import PydanticCustomError

from app.alerts.machine import Seen, Timing
from app.health.measures import NO_NUL, Name, Number, Setting
from app.health.scorecard import Band
from app.signals.signal import Severity

LONGEST_SECONDS = 366 * 86400
DAY = 86400


class Signal(StrEnum):
    """The kinds of numbers; a measure and a named signal are followed by a colon and a name."""

    HEALTH_SCORE = "health_score"
    CHURN_RISK = "churn_risk"
    DAYS_SINCE_LAST_USE = "days_since_last_use"
    MEASURE = "measure"
    NAMED = "signal"


class Operator(StrEnum):
    BELOW = "below"
    ABOVE = "above"
    DROP_BY = "drop_by"
    ENTERS_BAND = "enters_band"
    ABSENT_FOR = "absent_for"
    DROP_VS_SELF = "drop_vs_self"


DROPS = {Operator.DROP_BY, Operator.DROP_VS_SELF}
"""A drop by just as much is a breach; else the number must be beyond."""

LEVELS = ("low", "medium", "high")
BANDS: Mapping[Signal, tuple[str, ...]] = {
    Signal.HEALTH_SCORE: (Band.AT_RISK, Band.WATCH, Band.HEALTHY),
    Signal.CHURN_RISK: LEVELS,
}

OPERATORS: Mapping[Signal, set[Operator]] = {
    Signal.HEALTH_SCORE: {*Operator} - {Operator.ABSENT_FOR},
    Signal.MEASURE: {*Operator} - {Operator.ENTERS_BAND},
    Signal.CHURN_RISK: {Operator.BELOW, Operator.ABOVE, Operator.ENTERS_BAND},
    Signal.DAYS_SINCE_LAST_USE: {Operator.BELOW, Operator.ABOVE},
    Signal.NAMED: {Operator.ABOVE, Operator.ABSENT_FOR},
}

RANGES: Mapping[Signal, tuple[float, float]] = {
    Signal.HEALTH_SCORE: (0, 100),
    Signal.CHURN_RISK: (0, 1),
    Signal.DAYS_SINCE_LAST_USE: (0, math.inf),
    Signal.NAMED: (0, 1),
}
"""Between which ends a number lies; nobody knows them of a measure."""

GAP: Mapping[Signal, float] = {Signal.CHURN_RISK: 0.05, Signal.NAMED: 0}
"""How far ``clear_at`` lies from ``fire_at`` where nobody has said it; else five points."""


def _number(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticCustomError("number", "A number is wanted.")
    return value


Seconds = Annotated[int, Field(ge=0, le=LONGEST_SECONDS), BeforeValidator(_number)]
Flag = Annotated[bool, Strict()]


def _window(value: object) -> object:
    if value not in (7, 28, 90):
        raise ValueError("The window is 7, 28 or 90 days.")
    return value


class Rule(Setting):
    """One version of a rule. ``fire_at`` means what the operator says of it (docs/alerts.md)."""

    name: Name = Field(examples=["Health at risk"])
    signal: str = Field(
        pattern=r"^(health_score|churn_risk|days_since_last_use|(measure|signal):[^\x00]{1,200})$",
        description="What to watch: `measure:<name>` and `signal:<name>` take a name.",
        examples=["health_score"],
    )
    operator: Operator
    fire_at: Number | None = Field(None, examples=[25])
    clear_at: Number | None = Field(
        None, description="Null: five points from `fire_at` (0.05 of churn risk).", examples=[30]
    )
    band: str | None = Field(
        None, pattern=NO_NUL, max_length=20, description="Of `enters_band`.", examples=[None]
    )
    window_days: Annotated[int, BeforeValidator(_window)] = Field(28, examples=[28])
    for_seconds: Seconds = Field(0, description="How long a breach lasts before it counts.")
    keep_seconds: Seconds = Field(DAY, description="How long it is over before it is resolved.")
    cooldown_seconds: Seconds = Field(DAY, description="How long it then cannot open again.")
    severity: Severity = Severity.MEDIUM
    owner: Name | None = Field(
        None, description="To whom its alerts are assigned.", examples=["kim@example.com"]
    )
    filter: dict[str, JsonValue] = Field(
        default_factory=dict, description="Which accounts; all if empty.", examples=[{}]
    )
    enabled: Flag = True
    on_config_change: Flag = Field(
        default=False, description="Whether new settings, peers or models alone may open an alert."
    )

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        kind, wants = self.kind, self.operator
        if wants not in OPERATORS[kind]:
            known = ", ".join(sorted(OPERATORS[kind]))
            raise ValueError(f"{kind} is watched with one of: {known}.")
        if (wants is Operator.ENTERS_BAND) != (self.band is not None):
            raise ValueError("enters_band wants a band, and nothing else does.")
        if self.band is not None and self.band not in BANDS[kind]:
            raise ValueError(f"The bands of {kind} are: {', '.join(BANDS[kind])}.")
        needs_number = wants is not Operator.ENTERS_BAND and kind is not Signal.NAMED
        if self.fire_at is None and (needs_number or wants is Operator.ABSENT_FOR):
            raise ValueError("fire_at is missing.")
        if (self.clears_at - self.fires_at) * self.sign > 0:
            raise ValueError(
                "fire_at is to be 0 or more."
                if self.clear_at is None
                else "clear_at lies on the other side of fire_at."
            )
        return self

    @cached_property
    def kind(self) -> Signal:
        return Signal(self.signal.partition(":")[0])

    @cached_property
    def subject(self) -> str:
        """Which measure or signal."""
        return self.signal.partition(":")[2]

    @cached_property
    def sign(self) -> int:
        """1 where much is a breach, -1 where little is."""
        return -1 if self.operator in {Operator.BELOW, Operator.ENTERS_BAND} else 1

    @property
    def condition(self) -> str:
        if self.operator in DROPS:
            return f"{self.operator} in {self.window_days} days"
        return f"{self.operator} {self.band}" if self.band else str(self.operator)

    @property
    def compares_scores(self) -> bool:
        """Whether it is about a score against the one of ``window_days`` before."""
        of_health = self.kind is Signal.HEALTH_SCORE
        return self.operator is Operator.DROP_BY or (self.operator in DROPS and of_health)

    @property
    def direction(self) -> str:
        """Which way the signal went when the rule fires."""
        if self.operator is Operator.ENTERS_BAND:
            return "up" if self.band in {Band.HEALTHY, LEVELS[-1]} else "down"
        return "up" if self.operator is Operator.ABOVE else "down"

    @cached_property
    def fires_at(self) -> float:
        """What the watched number is held against: of a band, how far outside of it."""
        is_plain = self.operator not in {Operator.ENTERS_BAND, Operator.ABSENT_FOR}
        return (self.fire_at or 0.0) if is_plain else 0.0

    @cached_property
    def clears_at(self) -> float:
        if self.clear_at is not None:
            return self.clear_at
        if self.operator is Operator.ABSENT_FOR or (self.kind, self.band) in LEVEL_RULES:
            return 0.0
        cleared = self.fires_at - self.sign * GAP.get(self.kind, 5.0)
        if self.sign > 0:
            return max(cleared, 0.0)
        return max(self.fires_at, min(cleared, self.range[1]))

    @cached_property
    def range(self) -> tuple[float, float]:
        """Between which ends that lies which the thresholds are for."""
        if self.operator in {Operator.ENTERS_BAND, Operator.ABSENT_FOR}:
            return -math.inf, math.inf
        low, high = RANGES.get(self.kind, (-math.inf, math.inf))
        return (-math.inf if self.operator in DROPS else low), high

    @cached_property
    def timing(self) -> Timing:
        absent_days = (self.fire_at or 0) if self.operator is Operator.ABSENT_FOR else 0
        return Timing(
            breach=timedelta(days=absent_days, seconds=self.for_seconds),
            keep=timedelta(seconds=self.keep_seconds),
            cooldown=timedelta(seconds=self.cooldown_seconds),
        )

    @cached_property
    def moves_with_config(self) -> bool:
        """Whether other settings, other peers or another model alone can move the number."""
        judged = {Signal.HEALTH_SCORE, Signal.MEASURE, Signal.CHURN_RISK}
        return self.kind in judged and not self.on_config_change

    @property
    def can_fire(self) -> bool:
        return self.see(self.range[self.sign > 0]) is Seen.BREACH

    @property
    def can_clear(self) -> bool:
        return self.see(self.range[self.sign < 0]) is Seen.CLEAR

    def see(self, value: float | None) -> Seen:
        """Hold a number against both thresholds."""
        if value is None:
            return Seen.UNKNOWN
        beyond = (value - self.fires_at) * self.sign
        if beyond > 0 or (beyond == 0 and self.operator in DROPS):
            return Seen.BREACH
        return Seen.CLEAR if (value - self.clears_at) * self.sign <= 0 else Seen.BETWEEN


LEVEL_RULES = {(Signal.CHURN_RISK, level) for level in LEVELS}

BUILT_IN: Mapping[str, Rule] = {
    "health_at_risk": Rule(
        name="Health at risk",
        signal="health_score",
        operator=Operator.ENTERS_BAND,
        band=Band.AT_RISK,
        severity=Severity.HIGH,
    ),
    "health_sharp_drop": Rule(
        name="Health fell by 20 points in 28 days",
        signal="health_score",
        operator=Operator.DROP_BY,
        fire_at=20,
    ),
    "churn_risk_high": Rule(
        name="Churn risk high",
        signal="churn_risk",
        operator=Operator.ENTERS_BAND,
        band="high",
        severity=Severity.HIGH,
    ),
    "no_use": Rule(
        name="Not used for two weeks",
        signal="days_since_last_use",
        operator=Operator.ABOVE,
        fire_at=14,
    ),
}
"""The rules of every workspace, until it says otherwise."""
