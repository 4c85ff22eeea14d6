import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from app.features.values import EventCount, FeatureMap, FeatureSpec, ReachSource
from app.health.definition.entitlement import Offer
from app.health.definition.measures import EventsSource, LinearTransform, TraitSource
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import Adjustment, Card, CardRule, Scorecard
from tests.health.builders import SCORECARD, make_measure
from tests.health.strategies import scorecards

OFFER = Offer(
    {"api": 2.0, "sso": 1.0}, {"pro": ["api", "sso"]}, {"pro": {"api": 0.5}}, {"pro": 900}, {}
)
SPEC = FeatureSpec(
    FeatureMap([("Call", "api"), ("Login", "sso")]),
    ReachSource("events", ["Sent"]),
    "USD",
    28,
    ("csat",),
    (EventCount(("Filed",), 90),),
)
DEFINITION = Definition(3, SCORECARD, OFFER, SPEC, configured=True)
CSAT = make_measure("csat", source=TraitSource(trait="csat", values={"good": 1}))


def scored_by(*measures: Any, **config: Any) -> Definition:  # noqa: ANN401
    card = Card(measures=[*measures] or SCORECARD.default.measures)
    return replace(DEFINITION, scorecard=Scorecard(default=card, **config))


@settings(max_examples=50)
@given(scorecard=scorecards())
def test_a_definition_survives_json(scorecard: Scorecard) -> None:
    definition = replace(DEFINITION, scorecard=scorecard)

    read = Definition.from_json(json.loads(json.dumps(definition.to_json())))

    assert (read.version, read.scorecard, read.configured) == (3, scorecard, True)
    assert (read.offer, read.spec) == (OFFER, SPEC)
    assert (read.digest, read.ranking_digest) == (definition.digest, definition.ranking_digest)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 4},
        {"configured": False},
        {"offer": replace(OFFER, weights={"api": 2.0})},
        {"offer": replace(OFFER, seat_prices={"pro": 901})},
        {"spec": replace(SPEC, traits=())},
        {"spec": replace(SPEC, reach=ReachSource())},
        {"scorecard": Scorecard(name="Another")},
        {"scorecard": Scorecard(default=Card(watch_from=26))},
    ],
)
def test_any_change_gives_another_digest(changed: dict[str, Any]) -> None:
    assert replace(DEFINITION, **changed).digest != DEFINITION.digest


@pytest.mark.parametrize(
    "other",
    [
        replace(DEFINITION, version=9),
        scored_by(name="Ours"),
        replace(DEFINITION, scorecard=Scorecard(default=Card(watch_from=10, min_coverage=0.9))),
        scored_by(*(m.model_copy(update={"weight": 9}) for m in SCORECARD.default.measures)),
        scored_by(
            *SCORECARD.default.measures, make_measure("seats", LinearTransform(at_0=0, at_100=9))
        ),
        scored_by(
            *SCORECARD.default.measures,
            rules=[CardRule(name="smb", when={"segment": "smb"}, card=Card(watch_from=5))],
        ),
        replace(
            DEFINITION,
            scorecard=Scorecard(
                default=Card(
                    adjustments=[
                        Adjustment(when={"traits.risk": "high"}, at_most=20, reason="Risk")
                    ]
                )
            ),
        ),
        replace(DEFINITION, spec=replace(SPEC, traits=("risk",), counts=())),
        replace(DEFINITION, offer=replace(OFFER, price_shares={}, seat_prices={})),
    ],
)
def test_changes_without_effect_on_ranks_keep_the_benchmark(other: Definition) -> None:
    assert other.ranking_digest == DEFINITION.ranking_digest


@pytest.mark.parametrize(
    "other",
    [
        scored_by(window_days=14),
        scored_by(price_exponent=1),
        scored_by(*SCORECARD.default.measures, make_measure("events")),
        scored_by(*SCORECARD.default.measures[1:]),
        scored_by(
            *SCORECARD.default.measures,
            rules=[CardRule(name="smb", when={"segment": "smb"}, card=Card(measures=[CSAT]))],
        ),
        replace(DEFINITION, offer=replace(OFFER, weights={"api": 1.0, "sso": 1.0})),
        replace(DEFINITION, offer=replace(OFFER, plans={"pro": ["api"]})),
        replace(DEFINITION, spec=replace(SPEC, product=FeatureMap([("Call", "api")]))),
        replace(DEFINITION, spec=replace(SPEC, reach=ReachSource("events", ["Seen"]))),
        replace(DEFINITION, spec=replace(SPEC, base_currency="EUR")),
    ],
)
def test_changes_of_ranks_need_another_benchmark(other: Definition) -> None:
    assert other.ranking_digest != DEFINITION.ranking_digest


def test_the_values_of_texts_change_ranks() -> None:
    twice = TraitSource(trait="csat", values={"good": 2})

    assert (
        scored_by(CSAT).ranking_digest
        != scored_by(make_measure("csat", source=twice)).ranking_digest
    )


def test_the_order_of_measures_changes_no_rank() -> None:
    tickets = make_measure("tickets", source=EventsSource(events=["Filed"]))

    assert scored_by(CSAT, tickets).ranking_digest == scored_by(tickets, CSAT).ranking_digest


def test_event_names_replace_product_features_that_are_not_named() -> None:
    found = DEFINITION.with_default_features(("Export", "Share"))

    assert found.offer.weights == {"Export": 1.0, "Share": 1.0}
    assert found.spec.product == FeatureMap([("Export", "Export"), ("Share", "Share")])
    assert (found.offer.plans, found.spec.reach) == (OFFER.plans, SPEC.reach)
