"""A scored day and effects for tests of sentences, without a history."""

from typing import Any

from app.core.languages import Language
from app.features.values import FeatureMap, FeatureSpec, ReachSource
from app.health.definition.entitlement import Offer
from app.health.definition.measures import CardMeasure, EventsSource, LinearTransform, TraitSource
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import Card, Scorecard
from app.health.explanations.explain import Effect, EffectKind, ScoredDay
from app.health.explanations.sentences import effect_sentence
from tests.health.builders import AS_OF, make_account, make_measure, simple_benchmark

EN, ZH = Language.EN, Language.ZH
CSAT = CardMeasure(
    name="csat", source=TraitSource(trait="csat"), transform=LinearTransform(at_0=1, at_100=5)
)
TICKETS = CardMeasure(
    name="tickets",
    source=EventsSource(events=["Ticket Opened"]),
    transform=LinearTransform(at_0=9, at_100=0),
)
SPEC = FeatureSpec(FeatureMap([]), ReachSource(), "USD", 28)
NAMES = ("breadth", "depth", "reach", "momentum", "seats", "mrr", "days_to_renewal")
LINEAR = LinearTransform(at_0=0, at_100=100)


def scored_day(**features: Any) -> ScoredDay:  # noqa: ANN401
    others = [
        make_measure(name, LINEAR) for name in NAMES if name not in {"breadth", "depth", "reach"}
    ]
    ranked = [make_measure(name) for name in ("breadth", "depth", "reach")]
    card = Card(measures=[*ranked, *others, CSAT, TICKETS])
    offer = Offer({"export": 1.0}, {})
    definition = Definition(1, Scorecard(default=card), offer, SPEC, configured=True)
    return ScoredDay(
        AS_OF, make_account(**features), definition, {"": simple_benchmark()}, "default"
    )


USUAL_DAY = scored_day()


def effect(kind: str, points: float, name: str | None = None, *raw: float, **values: Any) -> Effect:  # noqa: ANN401
    before, after = raw or (None, None)
    return Effect(EffectKind(kind), points, name, before, after, **values)


def sentences(
    row: Effect, before: ScoredDay = USUAL_DAY, after: ScoredDay = USUAL_DAY
) -> tuple[str, str]:
    return effect_sentence(row, before, after, EN), effect_sentence(row, before, after, ZH)
