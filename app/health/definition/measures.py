"""What can be measured of an account, and what makes 0-100 of each number.

Both are settings of a scorecard, stored, sent and received as these classes say. The numbers
themselves are in ``metrics.py``, the maths is in ``scoring.py``.
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
        raise ValueError(f"A metric is one of {', '.join(METRIC_NAMES)}.")
    return name


def _signal(name: str) -> str:
    if name not in SIGNALS:
        raise ValueError(f"There is no signal {name}.")
    return name


MetricName = Annotated[
    str, AfterValidator(_metric), Field(json_schema_extra={"enum": list(METRIC_NAMES)})
]


class ConfigModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricSource(ConfigModel):
    """A number that the service knows of every account."""

    metric: MetricName = Field(examples=["breadth"])

    @property
    def key(self) -> str:
        return str(self.metric)


class TraitSource(ConfigModel):
    """A trait of the account: a number, a text with a meaning, or a day (days since then)."""

    trait: Name = Field(examples=["csat"])
    values: dict[Name, Number] = Field(
        {}, max_length=200, description="What texts stand for.", examples=[{"gold": 3}]
    )

    @property
    def key(self) -> str:
        """One trait may be read in several ways, and each is a source of its own."""
        if not self.values:
            return f"traits.{self.trait}"
        meaning = blake2b(repr(sorted(self.values.items())).encode(), digest_size=4)
        return f"traits.{self.trait} ({meaning.hexdigest()})"


class EventsSource(ConfigModel):
    """How many events of some names there were in the last days."""

    events: list[Name] = Field(min_length=1, max_length=50, examples=[["Ticket Opened"]])
    days: int = Field(28, ge=1, le=365)

    @property
    def count(self) -> EventCount:
        return EventCount(tuple(sorted(set(self.events))), self.days)

    @property
    def key(self) -> str:
        return self.count.key


class SignalSource(ConfigModel):
    """Whether a signal is open: 1, else 0; or how grave it is: 1 (info) to 4 (high), else 0.

    It is the signal as the refresh before has left it. One that is new marks the account due again.
    """

    signal: Annotated[str, AfterValidator(_signal), Field(json_schema_extra={"enum": [*SIGNALS]})]
    value: Literal["open", "severity"] = "open"

    @property
    def key(self) -> str:
        return f"signals.{self.signal}" + (".severity" if self.value == "severity" else "")


SOURCE_KINDS = ("metric", "trait", "events", "signal")


def _kind_of_source(said: object) -> str | None:
    """Tell sources apart by what they name, so that an error is of the one that was meant."""
    names = said if isinstance(said, dict) else getattr(said, "__dict__", {})
    return next((name for name in SOURCE_KINDS if name in names), None)


Source = Annotated[
    Annotated[MetricSource, Tag("metric")]
    | Annotated[TraitSource, Tag("trait")]
    | Annotated[EventsSource, Tag("events")]
    | Annotated[SignalSource, Tag("signal")],
    Discriminator(
        _kind_of_source,
        custom_error_type="source",
        custom_error_message="Name one of metric, trait, events and signal.",
    ),
]


class PercentileTransform(ConfigModel):
    """The rank among peers, of a number from zero up; zero scores zero."""

    kind: Literal["percentile"] = "percentile"
    price_adjusted: bool | None = Field(
        None, description="For the price; null: breadth, depth and reach are, the rest is not."
    )


class ThresholdStep(ConfigModel):
    """Where a score begins: at a number, or just above it."""

    at_least: Number | None = Field(None, examples=[30])
    above: Number | None = None
    score: Points = Field(examples=[50])

    @model_validator(mode="after")
    def say_where(self) -> Self:
        if (self.at_least is None) == (self.above is None):
            raise ValueError("Say one of at_least and above.")
        return self

    @property
    def edge(self) -> float:
        """The least number that reaches the step."""
        if self.above is not None:
            return math.nextafter(self.above, math.inf)
        return self.at_least or 0.0


class ThresholdsTransform(ConfigModel):
    """The score of the highest step that is reached; ``below`` all of them another."""

    kind: Literal["thresholds"] = "thresholds"
    below: Points = 0
    steps: list[ThresholdStep] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def ascend(self) -> Self:
        if any(one.edge >= other.edge for one, other in pairwise(self.steps)):
            raise ValueError("The steps must ascend.")
        return self


class LinearTransform(ConfigModel):
    """A straight line through two points; ``linear_bounded`` is held within 0 and 100."""

    kind: Literal["linear", "linear_bounded"] = "linear_bounded"
    at_0: Number = Field(examples=[90])
    at_100: Number = Field(examples=[0])

    @model_validator(mode="after")
    def lead_somewhere(self) -> Self:
        if self.at_0 == self.at_100:
            raise ValueError("at_0 and at_100 must differ.")
        return self


Transform = Annotated[
    PercentileTransform | ThresholdsTransform | LinearTransform, Field(discriminator="kind")
]


class CardMeasure(ConfigModel):
    """One measure: where its number comes from, what makes 0-100 of it, and what it weighs."""

    name: MeasureName = Field(examples=["support"])
    source: Source
    transform: Transform
    direction: Literal["higher_is_better", "lower_is_better"] = Field(
        "higher_is_better",
        description="Turns a percentile round; elsewhere the transform itself says it.",
    )
    weight: Weight = Field(1, examples=[1])
    missing: Literal["leave_out"] | Points = Field(
        "leave_out", description="What an unknown number scores; left out: others weigh more."
    )
    group: Name | None = None

    @model_validator(mode="after")
    def rank_what_can_be_ranked(self) -> Self:
        if not isinstance(self.transform, PercentileTransform):
            return self
        if self.source.key == Measure.MOMENTUM:
            raise ValueError("Momentum is 0-100 already: take a line instead of a percentile.")
        if self.source.key.startswith("signals."):
            raise ValueError("A signal is open or not: take thresholds instead of a percentile.")
        if self.transform.price_adjusted and self.direction == "lower_is_better":
            raise ValueError("Where less is better nothing is ranked for the price.")
        return self

    @property
    def is_price_adjusted(self) -> bool:
        """Whether its rank is one for the price; never where paying more would then help."""
        if (
            not isinstance(self.transform, PercentileTransform)
            or self.direction == "lower_is_better"
        ):
            return False
        adjusted = self.transform.price_adjusted
        return self.source.key in MEASURES if adjusted is None else adjusted


def _usage(name: Measure) -> CardMeasure:
    return CardMeasure(name=name, source=MetricSource(metric=name), transform=PercentileTransform())


def default_measures() -> list[CardMeasure]:
    momentum = CardMeasure(
        name=Measure.MOMENTUM,
        source=MetricSource(metric=Measure.MOMENTUM),
        transform=LinearTransform(at_0=0, at_100=100),
        weight=0.5,
    )
    return [*map(_usage, (Measure.BREADTH, Measure.DEPTH, Measure.REACH)), momentum]
