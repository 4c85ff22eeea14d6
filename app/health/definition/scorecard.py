"""What a scorecard is: which measures it has, what each weighs, and which accounts it judges how.

A version is immutable: it is stored, sent and received as these classes say.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from app.core.filters import matching
from app.core.filters.matching import FieldType, Filter, FilterError
from app.engagement.snapshot import ENGAGEMENT_METRICS
from app.features.values import EventCount
from app.health.definition.benchmark import MAX_ELASTICITY
from app.health.definition.measures import (
    CardMeasure,
    ConfigModel,
    EventsSource,
    MetricSource,
    Name,
    PercentileTransform,
    Points,
    SignalSource,
    Source,
    TraitSource,
    Weight,
    default_measures,
)
from app.health.definition.metrics import METRICS

RULE_ATTRIBUTES: Mapping[str, FieldType] = {
    "segment": FieldType.TEXT,
    "industry": FieldType.TEXT,
    "owner": FieldType.TEXT,
    "employees": FieldType.NUMBER,
}
"""What a rule may look at, beside traits: never price or usage, else paying more could help."""


class Band(StrEnum):
    AT_RISK = "at_risk"
    WATCH = "watch"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


class Adjustment(ConfigModel):
    """Changes the score where a condition is met, whatever the measures say.

    Those that are met apply in their order: ``add`` points, hold ``at_most``, or ``set_to``, after
    which no more are looked at.
    """

    when: JsonValue = Field(
        description="A filter over metrics, `measures.<name>`, `traits.<name>` and attributes.",
        examples=[{"field": "days_to_renewal", "op": "lt", "value": 30}],
    )
    add: Annotated[float, Field(allow_inf_nan=False, ge=-100, le=100)] | None = None
    at_most: Points | None = Field(None, examples=[20])
    set_to: Points | None = None
    reason: Name = Field(examples=["The licence ends soon."])

    @model_validator(mode="after")
    def say_one_thing(self) -> Self:
        if [self.add, self.at_most, self.set_to].count(None) != 2:  # noqa: PLR2004 - one of three
            raise ValueError("Say one of add, at_most and set_to.")
        return self

    def apply(self, score: float) -> float:
        if self.set_to is not None:
            return self.set_to
        return min(score, self.at_most) if self.at_most is not None else score + (self.add or 0)


class Card(ConfigModel):
    """How the accounts of one rule are judged."""

    measures: list[CardMeasure] = Field(
        default_factory=default_measures, min_length=1, max_length=50
    )
    groups: dict[Name, Weight] = Field(
        {},
        description="Weights of groups: measures share the weight of theirs.",
        examples=[{"engagement": 25, "product": 75}],
    )
    adjustments: list[Adjustment] = Field([], max_length=20)
    watch_from: Points = 25
    healthy_from: Points = 50
    min_coverage: float = Field(0.5, ge=0, le=1)

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        for holds, sentence in card_requirements(self):
            if not holds:
                raise ValueError(sentence)
        for number, adjustment in enumerate(self.adjustments):
            _checked(adjustment.when, self.fields, f"/adjustments/{number}/when")
        return self

    @cached_property
    def fields(self) -> Mapping[str, FieldType]:
        """What the conditions of adjustments may look at."""
        measures = {f"measures.{measure.name}": FieldType.NUMBER for measure in self.measures}
        return {
            **RULE_ATTRIBUTES,
            **dict.fromkeys(METRICS, FieldType.NUMBER),
            "plan": FieldType.TEXT,
            **measures,
        }

    @cached_property
    def conditions(self) -> list[tuple[Filter, Adjustment]]:
        return [(_checked(each.when, self.fields), each) for each in self.adjustments]

    def band(self, score: float | None) -> Band:
        """Half-open: a score on the edge belongs to the band above. None and nan are unknown."""
        if score is None or math.isnan(score):
            return Band.UNKNOWN
        if score < self.watch_from:
            return Band.AT_RISK
        return Band.WATCH if score < self.healthy_from else Band.HEALTHY


def card_requirements(card: Card) -> tuple[tuple[bool, str], ...]:
    names = [measure.name for measure in card.measures]
    used = {measure.group for measure in card.measures}
    weights = [m.weight * card.groups.get(m.group or "", 1) for m in card.measures]
    return (
        (len(set(names)) == len(names), "Each measure needs a name of its own."),
        (sum(weights) > 0, "At least one weight must be positive."),
        (0 < card.watch_from < card.healthy_from, "0 < watch_from < healthy_from must hold."),
        (card.healthy_from < 100, "healthy_from must be below 100."),  # noqa: PLR2004
        (
            not card.groups or used == set(card.groups),
            "Where groups have weights, each measure is in one, and no group is empty.",
        ),
    )


class CardRule(ConfigModel):
    """Which accounts have a card of their own."""

    name: Name = Field(examples=["enterprise"])
    when: JsonValue = Field(examples=[{"field": "segment", "op": "eq", "value": "enterprise"}])
    card: Card

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        _checked(self.when, RULE_ATTRIBUTES, "/when")
        return self

    @cached_property
    def condition(self) -> Filter:
        return _checked(self.when, RULE_ATTRIBUTES)


DEFAULT_CARD = "default"


def _window(value: object) -> object:
    if value not in (7, 14, 21, 28):
        raise ValueError("The window is 7, 14, 21 or 28 days: each weekday weighs the same.")
    return value


class Scorecard(ConfigModel):
    """All that a workspace scores by: the first rule that an account meets, else the default.

    ``price_exponent`` is for fitting the benchmark: null takes the price elasticity measured
    there, 1 asks for the plain ratio of usage to price, 0 for no regard to price.
    """

    name: Name | None = Field(None, examples=["More weight on reach"])
    window_days: Annotated[int, BeforeValidator(_window)] = 28
    price_exponent: float | None = Field(None, ge=0, le=MAX_ELASTICITY)
    rules: list[CardRule] = Field([], max_length=50)
    default: Card = Field(default_factory=Card)

    @model_validator(mode="after")
    def name_rules(self) -> Self:
        names = [rule.name for rule in self.rules]
        if len({*names, DEFAULT_CARD}) <= len(names):
            raise ValueError(f"Each rule needs a name of its own, and not {DEFAULT_CARD}.")
        return self

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        return {**{rule.name: rule.card for rule in self.rules}, DEFAULT_CARD: self.default}

    @cached_property
    def measures(self) -> Sequence[CardMeasure]:
        """Those of all cards; one of a name on each card that has it."""
        return [measure for card in self.cards.values() for measure in card.measures]

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Every source that a measure takes its number from, by key."""
        return {measure.source.key: measure.source for measure in self.measures}

    @cached_property
    def ranked(self) -> tuple[str, ...]:
        """The keys of sources that are ranked among peers."""
        return tuple(
            sorted(
                {
                    m.source.key
                    for m in self.measures
                    if isinstance(m.transform, PercentileTransform)
                }
            )
        )

    @cached_property
    def traits(self) -> tuple[str, ...]:
        named = {s.trait for s in self.sources.values() if isinstance(s, TraitSource)}
        asked = {field for wanted in self._filters() for field in matching.fields_of(wanted)}
        found = {field.removeprefix("traits.") for field in asked if field.startswith("traits.")}
        return tuple(sorted(named | found))

    @cached_property
    def counts(self) -> tuple[EventCount, ...]:
        found = {s.key: s.count for s in self.sources.values() if isinstance(s, EventsSource)}
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def engagement(self) -> bool:
        """Whether anything asks for numbers of tickets, answers and the like."""
        asked = {field for wanted in self._filters() for field in matching.fields_of(wanted)}
        asked |= {s.metric for s in self.sources.values() if isinstance(s, MetricSource)}
        return not ENGAGEMENT_METRICS.keys().isdisjoint(asked)

    @cached_property
    def signals(self) -> tuple[str, ...]:
        found = {s.signal for s in self.sources.values() if isinstance(s, SignalSource)}
        return tuple(sorted(found))

    def _filters(self) -> Iterable[Filter]:
        yield from (rule.condition for rule in self.rules)
        for card in self.cards.values():
            yield from (condition for condition, _ in card.conditions)


def _checked(raw: JsonValue, fields: Mapping[str, FieldType], at: str = "") -> Filter:
    try:
        return matching.parse_filter(raw, fields)
    except FilterError as error:
        raise FilterError(at + error.pointer, str(error)) from None
