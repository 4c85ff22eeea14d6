import json
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from app.core.filters.parser import FilterError
from app.health.definition.measures import EventsSource, MetricSource, TraitSource, default_measures
from app.health.definition.scorecard import (
    DEFAULT_CARD,
    Adjustment,
    Band,
    Card,
    CardRule,
    Scorecard,
)
from tests.health.builders import CARD, NAN, SCORECARD, make_measure
from tests.health.strategies import scorecards

SMB = {"field": "segment", "op": "eq", "value": "smb"}
checked = settings(max_examples=50)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, Band.AT_RISK),
        (24.999, Band.AT_RISK),
        (25.0, Band.WATCH),
        (49.999, Band.WATCH),
        (50.0, Band.HEALTHY),
        (100.0, Band.HEALTHY),
        (None, Band.UNKNOWN),
        (NAN, Band.UNKNOWN),
    ],
)
def test_band_edges(value: float | None, expected: Band) -> None:
    assert CARD.band(value) is expected


def test_bands_follow_the_card() -> None:
    card = Card(watch_from=40, healthy_from=70)

    assert [card.band(value) for value in (39.0, 40.0, 70.0, NAN)] == [
        Band.AT_RISK,
        Band.WATCH,
        Band.HEALTHY,
        Band.UNKNOWN,
    ]


def test_the_default_card_gives_three_measures_equal_weight_and_momentum_half() -> None:
    assert {each.name: each.weight for each in default_measures()} == {
        "breadth": 1,
        "depth": 1,
        "reach": 1,
        "momentum": 0.5,
    }
    assert Scorecard(default=Card(measures=default_measures())) == SCORECARD


@checked
@given(card=scorecards())
def test_a_scorecard_survives_json(card: Scorecard) -> None:
    assert Scorecard.model_validate(json.loads(card.model_dump_json())) == card
    assert Scorecard.model_validate(card.model_dump(mode="json")) == card


def test_missing_settings_have_defaults() -> None:
    assert Scorecard.model_validate({}) == SCORECARD
    higher = Scorecard.model_validate({"default": {"healthy_from": 60}})
    assert higher == Scorecard(default=Card(healthy_from=60))


BREADTH = {"name": "breadth", "source": {"metric": "breadth"}, "transform": {"kind": "percentile"}}


def with_weight(weight: float) -> dict[str, Any]:
    return {"default": {"measures": [{**BREADTH, "weight": weight}]}}


def with_adjustment(**config: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"default": {"adjustments": [{"when": SMB, "reason": "so", **config}]}}


def with_rules(*names: str) -> dict[str, Any]:
    return {"rules": [{"name": name, "when": SMB, "card": {}} for name in names]}


ONE_EFFECT = "exactly one of add, at_most and set_to"
ADJUSTED = ("default", "adjustments", 0)


@pytest.mark.parametrize(
    ("config", "sentence", "pointer"),
    [
        (with_weight(-1), "greater than or equal to 0", ("default", "measures", 0, "weight")),
        (with_weight(NAN), "finite number", ("default", "measures", 0, "weight")),
        (with_weight(0), "At least one weight must be positive", ("default",)),
        ({"default": {"measures": []}}, "at least 1 item", ("default", "measures")),
        ({"default": {"measures": [BREADTH] * 2}}, "Measure names must be unique", ("default",)),
        ({"default": {"measures": [BREADTH] * 51}}, "at most 50 items", ("default", "measures")),
        ({"default": {"watch_from": 0}}, "watch_from must be above 0", ("default",)),
        ({"default": {"watch_from": 50}}, "watch_from must be above 0", ("default",)),
        ({"default": {"healthy_from": 100}}, "must be below 100", ("default",)),
        ({"default": {"min_coverage": 1.1}}, "less than or equal to 1", None),
        ({"default": {"groups": {"use": 1}}}, "each measure must name one of them", ("default",)),
        ({"window_days": 0}, "7, 14, 21 or 28", ("window_days",)),
        ({"window_days": 10}, "7, 14, 21 or 28", ("window_days",)),
        ({"window_days": 35}, "7, 14, 21 or 28", ("window_days",)),
        ({"window_days": [28]}, "7, 14, 21 or 28", ("window_days",)),
        ({"price_exponent": -0.1}, "greater than or equal to 0", ("price_exponent",)),
        ({"price_exponent": 2.1}, "less than or equal to 2", ("price_exponent",)),
        ({"colour": "red"}, "Extra inputs", ("colour",)),
        ({"name": "a\x00b"}, "match pattern", ("name",)),
        (with_adjustment(), ONE_EFFECT, ADJUSTED),
        (with_adjustment(add=1, set_to=2), ONE_EFFECT, ADJUSTED),
        (with_adjustment(add=-101), "greater than or equal to -100", (*ADJUSTED, "add")),
        (with_adjustment(at_most=101), "less than or equal to 100", (*ADJUSTED, "at_most")),
        (with_adjustment(add=1, reason=""), "at least 1 character", (*ADJUSTED, "reason")),
        (with_adjustment(add=1, when={"mood": "good"}), "Unknown field", ("default",)),
        (with_adjustment(add=1, when={"measures.charm": 1}), "Unknown field", ("default",)),
        (with_rules("a", "a"), "Rule names must be unique", ()),
        (with_rules(DEFAULT_CARD), "must not be default", ()),
    ],
)
def test_an_invalid_scorecard_is_rejected_with_a_pointer(
    config: dict[str, Any], sentence: str, pointer: tuple[str | int, ...] | None
) -> None:
    with pytest.raises(ValidationError, match=sentence) as refused:
        Scorecard.model_validate(config)

    [problem] = refused.value.errors()
    assert pointer is None or problem["loc"] == pointer


@pytest.mark.parametrize("field", ["mrr", "plan", "seats", "breadth", "events", "measures.breadth"])
def test_rules_cannot_use_price_or_usage_so_that_paying_more_cannot_select_a_card(
    field: str,
) -> None:
    with pytest.raises(ValidationError, match="Unknown field"):
        CardRule(name="x", when={"field": field, "op": "gt", "value": 1}, card=CARD)


def test_with_group_weights_each_measure_must_be_in_a_group() -> None:
    both = [make_measure("breadth", group="use"), make_measure("depth", group="people")]

    assert Card(measures=both, groups={"use": 1, "people": 2})
    for groups in ({"use": 1}, {"use": 1, "people": 1, "mood": 1}):
        with pytest.raises(ValidationError, match="each group needs a measure"):
            Card(measures=both, groups=groups)
    assert Card(measures=both), "without weights a group is only a name"


def test_a_group_of_weight_zero_measures_does_not_count() -> None:
    measures = [
        make_measure("breadth", group="use", weight=0),
        make_measure("depth", group="people"),
    ]

    with pytest.raises(ValidationError, match="must be positive"):
        Card(measures=measures, groups={"use": 1, "people": 0})


@pytest.mark.parametrize(
    ("config", "pointer", "pointer_in_filter"),
    [
        (with_adjustment(add=1, when=None), ("default",), "/adjustments/0/when"),
        (
            with_adjustment(add=1, when={"not": {"mood": 1}}),
            ("default",),
            "/adjustments/0/when/not/mood",
        ),
        (
            {"rules": [{"name": "a", "when": {"field": "mrr", "value": 1}, "card": {}}]},
            ("rules", 0),
            "/when/field",
        ),
    ],
)
def test_an_invalid_condition_is_rejected_with_a_pointer(
    config: dict[str, Any], pointer: tuple[str | int, ...], pointer_in_filter: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Scorecard.model_validate(config)

    [problem] = refused.value.errors()
    error = problem["ctx"]["error"]
    assert isinstance(error, FilterError)
    assert (problem["loc"], error.pointer) == (pointer, pointer_in_filter)


def test_a_scorecard_lists_the_inputs_of_all_its_cards() -> None:
    csat = make_measure("csat", source=TraitSource(trait="csat"))
    opened = EventsSource(events=["Opened", "Filed"], days=90)
    gold = {"field": "traits.tier", "op": "eq", "value": "gold"}
    risky = Adjustment(when={"traits.risk": "high"}, at_most=20, reason="At risk")
    card = Scorecard(
        rules=[CardRule(name="gold", when=gold, card=Card(measures=[csat], adjustments=[risky]))],
        default=Card(measures=[make_measure("breadth"), make_measure("tickets", source=opened)]),
    )

    assert set(card.cards) == {"gold", DEFAULT_CARD}
    assert card.traits == ("csat", "risk", "tier")
    assert [count.events for count in card.counts] == [("Filed", "Opened")]
    assert card.sources == {
        "breadth": MetricSource(metric="breadth"),
        "traits.csat": TraitSource(trait="csat"),
        "Filed, Opened in 90 days": opened,
    }
    assert card.ranked == ("Filed, Opened in 90 days", "breadth", "traits.csat")
