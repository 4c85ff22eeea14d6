"""Configuration of a measure: its source, its transform to 0-100, its weight.

These classes are the stored and the API format of a scorecard's measures. The numbers themselves
are in ``metrics.py``, the maths is in ``scoring/maths.py``.
"""

import math
from hashlib import blake2b
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    model_validator,
)

from app.features.values import EventCount
from app.health.definition.benchmark import MEASURES, Measure
from app.health.definition.metrics import METRICS
from app.signals.detect import SIGNALS

NO_NUL = r"^[^\x00]*$"
NO_STAR = r"^[^\x00*]*$"
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
MeasureName = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_STAR)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=-1e15, le=1e15)]
Points = Annotated[float, Field(allow_inf_nan=False, ge=0, le=100)]
Weight = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e6)]
METRIC_NAMES = (*METRICS, Measure.MOMENTUM.value)


def _metric(name: str) -> str:
    if name not in METRIC_NAMES:
        raise ValueError(f"Unknown metric: expected one of {', '.join(METRIC_NAMES)}.")
    return name


def _signal(name: str) -> str:
    if name not in SIGNALS:
        raise ValueError(f"Unknown signal {name}: expected one of {', '.join(SIGNALS)}.")
    return name


MetricName = Annotated[
    str, AfterValidator(_metric), Field(json_schema_extra={"enum": list(METRIC_NAMES)})
]


class ConfigModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class MetricSource(ConfigModel):
    """A number that the service computes for every account."""

    metric: MetricName = Field(examples=["breadth"])

    @property
    def key(self) -> str:
        return str(self.metric)


class TraitSource(ConfigModel):
    """A trait of the account as a number; a text is mapped, a date becomes the days since it."""

    trait: Name = Field(examples=["csat"])
    values: dict[Name, Number] = Field(
        {},
        max_length=200,
        description="The number that each text stands for.",
        examples=[{"gold": 3}],
    )

    @property
    def key(self) -> str:
        """Identify the source. One trait with two sets of ``values`` is two sources."""
        if not self.values:
            return f"traits.{self.trait}"
        digest = blake2b(repr(sorted(self.values.items())).encode(), digest_size=4)
        return f"traits.{self.trait} ({digest.hexdigest()})"


class EventsSource(ConfigModel):
    """The number of events with any of the given names in the last ``days`` days."""

    events: list[Name] = Field(min_length=1, max_length=50, examples=[["Ticket Opened"]])
    days: int = Field(28, ge=1, le=365, description="Number of days up to the day scored.")

    @property
    def count(self) -> EventCount:
        return EventCount(tuple(sorted(set(self.events))), self.days)

    @property
    def key(self) -> str:
        return self.count.key


class SignalSource(ConfigModel):
    """A signal as a number: 1, or its severity 1 (info) to 4 (high), while it is open; else 0.

    The value is from the signals stored by the previous refresh. A new signal queues the account
    for another refresh.
    """

    signal: Annotated[str, AfterValidator(_signal), Field(json_schema_extra={"enum": [*SIGNALS]})]
    value: Literal["open", "severity"] = Field(
        "open", description="`open`: 1 while open, else 0. `severity`: 1 to 4 while open, else 0."
    )

    @property
    def key(self) -> str:
        return f"signals.{self.signal}" + (".severity" if self.value == "severity" else "")


SOURCE_KINDS = ("metric", "trait", "events", "signal")


def _source_kind(value: object) -> str | None:
    """Choose the source class by the key present, so that errors refer to the intended class."""
    names = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return next((name for name in SOURCE_KINDS if name in names), None)


Source = Annotated[
    Annotated[MetricSource, Tag("metric")]
    | Annotated[TraitSource, Tag("trait")]
    | Annotated[EventsSource, Tag("events")]
    | Annotated[SignalSource, Tag("signal")],
    Discriminator(
        _source_kind,
        custom_error_type="source",
        custom_error_message="A source needs exactly one of metric, trait, events and signal.",
    ),
]


class PercentileTransform(ConfigModel):
    """The percentile rank among peers of a number >= 0; zero scores zero."""

    kind: Literal["percentile"] = "percentile"
    price_adjusted: bool | None = Field(
        None,
        description=(
            "Whether the number is ranked relative to the price. "
            "Null: yes for breadth, depth and reach, no for all others."
        ),
    )


class ThresholdStep(ConfigModel):
    """One step of a threshold transform: the score of numbers >= ``at_least``, or > ``above``."""

    at_least: Number | None = Field(None, examples=[30])
    above: Number | None = None
    score: Points = Field(examples=[50])

    @model_validator(mode="after")
    def check_edge(self) -> Self:
        if (self.at_least is None) == (self.above is None):
            raise ValueError("A step needs exactly one of at_least and above.")
        return self

    @property
    def edge(self) -> float:
        """The smallest number that reaches the step."""
        if self.above is not None:
            return math.nextafter(self.above, math.inf)
        return self.at_least or 0.0


class ThresholdsTransform(ConfigModel):
    """The score of the highest step reached; ``below`` if the number reaches none."""

    kind: Literal["thresholds"] = "thresholds"
    below: Points = Field(0, description="Score below the first step.")
    steps: list[ThresholdStep] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def check_order(self) -> Self:
        if any(lower.edge >= upper.edge for lower, upper in pairwise(self.steps)):
            raise ValueError("The steps must be in ascending order of at_least or above.")
        return self


class LinearTransform(ConfigModel):
    """A straight line through two points; ``linear_bounded`` is clipped to 0-100."""

    kind: Literal["linear", "linear_bounded"] = "linear_bounded"
    at_0: Number = Field(description="The number that scores 0.", examples=[90])
    at_100: Number = Field(description="The number that scores 100.", examples=[0])

    @model_validator(mode="after")
    def check_points(self) -> Self:
        if self.at_0 == self.at_100:
            raise ValueError("at_0 and at_100 must differ.")
        return self


Transform = Annotated[
    PercentileTransform | ThresholdsTransform | LinearTransform, Field(discriminator="kind")
]


class CardMeasure(ConfigModel):
    """One measure of a card: the source of its number, the transform to 0-100, and the weight."""

    name: MeasureName = Field(examples=["support"])
    source: Source
    transform: Transform
    direction: Literal["higher_is_better", "lower_is_better"] = Field(
        "higher_is_better",
        description="Inverts a percentile. Other transforms define their direction themselves.",
    )
    weight: Weight = Field(1, description="Weight relative to the others.", examples=[1])
    missing: Literal["leave_out"] | Points = Field(
        "leave_out",
        description="Score of an unknown number, or leave_out to give its weight to the others.",
    )
    group: Name | None = Field(
        None, description="The group whose weight it shares.", examples=["usage"]
    )

    @model_validator(mode="after")
    def check_percentile(self) -> Self:
        if not isinstance(self.transform, PercentileTransform):
            return self
        if self.source.key == Measure.MOMENTUM:
            raise ValueError(
                "Momentum is already on a 0-100 scale: use linear instead of percentile."
            )
        if self.source.key.startswith("signals."):
            raise ValueError("A signal cannot be ranked: use thresholds instead of percentile.")
        if self.transform.price_adjusted and self.direction == "lower_is_better":
            raise ValueError(
                "price_adjusted needs higher_is_better: else paying more would raise the score."
            )
        return self

    @property
    def is_price_adjusted(self) -> bool:
        """Whether the rank is relative to price. Not if lower is better: paying more would help."""
        transform = self.transform
        if not isinstance(transform, PercentileTransform) or self.direction == "lower_is_better":
            return False
        adjusted = transform.price_adjusted
        return self.source.key in MEASURES if adjusted is None else adjusted


def default_measures() -> list[CardMeasure]:
    usage = [
        CardMeasure(name=name, source=MetricSource(metric=name), transform=PercentileTransform())
        for name in MEASURES
    ]
    momentum = CardMeasure(
        name=Measure.MOMENTUM,
        source=MetricSource(metric=Measure.MOMENTUM),
        transform=LinearTransform(at_0=0, at_100=100),
        weight=0.5,
    )
    return [*usage, momentum]
