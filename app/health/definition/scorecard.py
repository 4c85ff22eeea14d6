"""Configuration of a scorecard: cards of weighted measures, and the rules that select a card.

A version is immutable. These classes are its stored and its API format.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from app.core.filters.parser import FilterError, parse_filter
from app.core.filters.tree import FieldType, Filter, fields_of
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
"""Fields that a rule may use besides traits. Never price or usage: paying more must not help."""


class Band(StrEnum):
    AT_RISK = "at_risk"
    WATCH = "watch"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


class Adjustment(ConfigModel):
    """Changes the score of accounts that meet a condition, whatever their measures.

    Adjustments apply in their order: ``add`` points, cap the score ``at_most``, or ``set_to`` a
    value. Adjustments after a ``set_to`` are skipped.
    """

    when: JsonValue = Field(
        description="A filter on metrics, `measures.<name>`, `traits.<name>` and attributes.",
        examples=[{"field": "days_to_renewal", "op": "lt", "value": 30}],
    )
    add: Annotated[float, Field(allow_inf_nan=False, ge=-100, le=100)] | None = Field(
        None, description="Points to add; may be negative."
    )
    at_most: Points | None = Field(None, description="Upper limit of the score.", examples=[20])
    set_to: Points | None = Field(None, description="The score itself.")
    reason: Name = Field(description="Shown with the score.", examples=["The licence ends soon."])

    @model_validator(mode="after")
    def check_effect(self) -> Self:
        if [self.add, self.at_most, self.set_to].count(None) != 2:  # noqa: PLR2004 - one of three
            raise ValueError("An adjustment needs exactly one of add, at_most and set_to.")
        return self

    def apply(self, score: float) -> float:
        if self.set_to is not None:
            return self.set_to
        return min(score, self.at_most) if self.at_most is not None else score + (self.add or 0)


class Card(ConfigModel):
    """The measures, weights and bands that score the accounts of one rule."""

    measures: list[CardMeasure] = Field(
        default_factory=default_measures, min_length=1, max_length=50
    )
    groups: dict[Name, Weight] = Field(
        {},
        description="Weights of groups. The measures of a group share its weight.",
        examples=[{"engagement": 25, "product": 75}],
    )
    adjustments: list[Adjustment] = Field([], max_length=20)
    watch_from: Points = Field(25, description="The lowest score of the band watch.")
    healthy_from: Points = Field(50, description="The lowest score of the band healthy.")
    min_coverage: float = Field(
        0.5, ge=0, le=1, description="Below this share of known weight there is no score."
    )

    @model_validator(mode="after")
    def check_card(self) -> Self:
        for is_met, sentence in card_requirements(self):
            if not is_met:
                raise ValueError(sentence)
        for number, adjustment in enumerate(self.adjustments):
            _parse_filter(adjustment.when, self.fields, f"/adjustments/{number}/when")
        return self

    @cached_property
    def fields(self) -> Mapping[str, FieldType]:
        """Fields that the conditions of adjustments may use, with their types."""
        metrics = dict.fromkeys(METRICS, FieldType.NUMBER)
        measures = {f"measures.{measure.name}": FieldType.NUMBER for measure in self.measures}
        return {**RULE_ATTRIBUTES, **metrics, "plan": FieldType.TEXT, **measures}

    @cached_property
    def conditions(self) -> list[tuple[Filter, Adjustment]]:
        return [(_parse_filter(each.when, self.fields), each) for each in self.adjustments]

    def band(self, score: float | None) -> Band:
        """Return the band of a score. A score on an edge is in the upper band; None is unknown."""
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
        (len(set(names)) == len(names), "Measure names must be unique within a card."),
        (sum(weights) > 0, "At least one weight must be positive."),
        (
            0 < card.watch_from < card.healthy_from,
            "watch_from must be above 0 and below healthy_from.",
        ),
        (card.healthy_from < 100, "healthy_from must be below 100."),  # noqa: PLR2004
        (
            not card.groups or used == set(card.groups),
            "With groups, each measure must name one of them, and each group needs a measure.",
        ),
    )


class CardRule(ConfigModel):
    """A card for the accounts that meet a condition."""

    name: Name = Field(examples=["enterprise"])
    when: JsonValue = Field(
        description="A filter on segment, industry, owner, employees and `traits.<name>`.",
        examples=[{"field": "segment", "op": "eq", "value": "enterprise"}],
    )
    card: Card

    @model_validator(mode="after")
    def check_condition(self) -> Self:
        _parse_filter(self.when, RULE_ATTRIBUTES, "/when")
        return self

    @cached_property
    def condition(self) -> Filter:
        return _parse_filter(self.when, RULE_ATTRIBUTES)


DEFAULT_CARD = "default"


def _window(value: object) -> object:
    if value not in (7, 14, 21, 28):
        raise ValueError(
            "window_days must be 7, 14, 21 or 28, so that each weekday counts equally."
        )
    return value


class Scorecard(ConfigModel):
    """How a workspace scores its accounts: the first rule that matches an account selects its card.

    Without a match the default card applies. ``price_exponent`` is used to fit the benchmark: null
    uses the price elasticity measured there, 1 the plain ratio of usage to price, 0 ignores price.
    """

    name: Name | None = Field(None, examples=["More weight on reach"])
    window_days: Annotated[int, BeforeValidator(_window)] = 28
    price_exponent: float | None = Field(None, ge=0, le=MAX_ELASTICITY)
    rules: list[CardRule] = Field([], max_length=50)
    default: Card = Field(default_factory=Card)

    @model_validator(mode="after")
    def check_rule_names(self) -> Self:
        names = [rule.name for rule in self.rules]
        if len({*names, DEFAULT_CARD}) <= len(names):
            raise ValueError(f"Rule names must be unique and must not be {DEFAULT_CARD}.")
        return self

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        return {**{rule.name: rule.card for rule in self.rules}, DEFAULT_CARD: self.default}

    @cached_property
    def measures(self) -> Sequence[CardMeasure]:
        """The measures of all cards; a name occurs once per card that has it."""
        return [measure for card in self.cards.values() for measure in card.measures]

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The sources of all measures, by key."""
        return {measure.source.key: measure.source for measure in self.measures}

    @cached_property
    def ranked(self) -> tuple[str, ...]:
        """The keys of the sources that are ranked among peers, sorted."""
        ranked = (m for m in self.measures if isinstance(m.transform, PercentileTransform))
        return tuple(sorted({measure.source.key for measure in ranked}))

    @cached_property
    def traits(self) -> tuple[str, ...]:
        of_sources = {s.trait for s in self.sources.values() if isinstance(s, TraitSource)}
        prefix = "traits."
        of_filters = {
            field.removeprefix(prefix) for field in self.filter_fields if field.startswith(prefix)
        }
        return tuple(sorted(of_sources | of_filters))

    @cached_property
    def counts(self) -> tuple[EventCount, ...]:
        counts = {s.key: s.count for s in self.sources.values() if isinstance(s, EventsSource)}
        return tuple(counts[key] for key in sorted(counts))

    @cached_property
    def engagement(self) -> bool:
        """Whether a measure or a condition uses an engagement metric (tickets, surveys, goals)."""
        used = {s.metric for s in self.sources.values() if isinstance(s, MetricSource)}
        return not ENGAGEMENT_METRICS.keys().isdisjoint(used | self.filter_fields)

    @cached_property
    def signals(self) -> tuple[str, ...]:
        signals = {s.signal for s in self.sources.values() if isinstance(s, SignalSource)}
        return tuple(sorted(signals))

    @cached_property
    def filter_fields(self) -> set[str]:
        """The fields that any condition of a rule or an adjustment uses."""
        conditions = [rule.condition for rule in self.rules]
        for card in self.cards.values():
            conditions += [condition for condition, _ in card.conditions]
        return {field for condition in conditions for field in fields_of(condition)}


def _parse_filter(raw: JsonValue, fields: Mapping[str, FieldType], at: str = "") -> Filter:
    try:
        return parse_filter(raw, fields)
    except FilterError as error:
        raise FilterError(at + error.pointer, str(error)) from None
