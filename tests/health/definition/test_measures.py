import math
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.health.definition.measures import (
    CardMeasure,
    EventsSource,
    LinearTransform,
    MetricSource,
    PercentileTransform,
    Source,
    ThresholdStep,
    ThresholdsTransform,
    TraitSource,
)
from app.health.definition.metrics import METRICS
from tests.health.builders import make_measure


def parse_source(**config: Any) -> Source:  # noqa: ANN401
    source: Source = TypeAdapter(Source).validate_python(config)
    return source


def test_the_key_present_selects_the_source_class() -> None:
    assert parse_source(metric="events") == MetricSource(metric="events")
    assert parse_source(trait="csat") == TraitSource(trait="csat")
    assert parse_source(events=["Filed"]) == EventsSource(events=["Filed"], days=28)


def test_every_source_has_a_unique_key() -> None:
    sources = [
        parse_source(metric="events"),
        parse_source(trait="events"),
        parse_source(trait="tier"),
        parse_source(trait="tier", values={"gold": 2}),
        parse_source(trait="tier", values={"gold": 3}),
        parse_source(trait="tier", values={"gold": 2.0000001}),
        parse_source(events=["events"]),
        parse_source(events=["events"], days=7),
        parse_source(events=["a", "b"]),
        parse_source(events=["a, b"]),
        parse_source(events=["a\\", "b"]),
        parse_source(events=["a\\, b"]),
    ]

    assert len({each.key for each in sources}) == len(sources)


def test_neither_order_nor_repetition_of_events_makes_another_source() -> None:
    assert parse_source(events=["b", "a", "b"]).key == parse_source(events=["a", "b"]).key
    assert parse_source(trait="t", values={"a": 1, "b": 2}).key == (
        parse_source(trait="t", values={"b": 2, "a": 1}).key
    )


@pytest.mark.parametrize("name", [*METRICS, "momentum"])
def test_every_metric_can_be_a_source(name: str) -> None:
    assert parse_source(metric=name).key == name


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"metric": "charm"}, "Unknown metric: expected one of breadth, depth, reach"),
        ({"trait": ""}, "at least 1 character"),
        ({"trait": "a", "values": {"x": math.inf}}, "finite number"),
        ({"events": []}, "at least 1 item"),
        ({"events": ["a"], "days": 366}, "less than or equal to 365"),
        ({"events": ["a"], "days": 0}, "greater than or equal to 1"),
        ({"metric": "events", "trait": "a"}, "Extra inputs"),
        ({}, "exactly one of metric, trait, events and signal"),
    ],
)
def test_an_invalid_source_is_rejected(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        parse_source(**config)


def measure_with(**transform: Any) -> CardMeasure:  # noqa: ANN401
    return CardMeasure.model_validate(
        {"name": "x", "source": {"metric": "events"}, "transform": transform}
    )


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"kind": "magic"}, "does not match any of the expected tags"),
        ({"kind": "thresholds", "steps": []}, "at least 1 item"),
        ({"kind": "thresholds", "steps": [{"at_least": 1, "score": 101}]}, "or equal to 100"),
        ({"kind": "thresholds", "steps": [{"score": 1}]}, "exactly one of at_least and above"),
        (
            {"kind": "thresholds", "steps": [{"at_least": 1, "above": 1, "score": 1}]},
            "exactly one of at_least and above",
        ),
        ({"kind": "linear", "at_0": 1, "at_100": 1}, "must differ"),
        ({"kind": "linear_bounded", "at_0": 0.0, "at_100": -0.0}, "must differ"),
        ({"kind": "linear", "at_0": 0, "at_100": math.nan}, "finite number"),
        ({"kind": "linear", "at_0": 0, "at_100": 1e16}, "less than or equal to"),
    ],
)
def test_an_invalid_transform_is_rejected(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        measure_with(**config)


def step(**edge: float) -> ThresholdStep:
    return ThresholdStep(score=50, **edge)


@pytest.mark.parametrize(
    "steps",
    [
        [step(at_least=2), step(at_least=1)],
        [step(at_least=1), step(at_least=1)],
        [step(above=1), step(at_least=1)],
        [step(above=1), step(above=1)],
    ],
)
def test_steps_must_ascend(steps: list[ThresholdStep]) -> None:
    with pytest.raises(ValidationError, match="The steps must be in ascending order"):
        ThresholdsTransform(steps=steps)


def test_a_step_above_a_number_may_follow_one_at_it() -> None:
    assert ThresholdsTransform(steps=[step(at_least=1), step(above=1), step(at_least=2)])


@pytest.mark.parametrize("name", ["", "x" * 201, "a\x00", "every.*"])
def test_a_name_that_conditions_cannot_use_is_rejected(name: str) -> None:
    with pytest.raises(ValidationError):
        CardMeasure(
            name=name, source=MetricSource(metric="events"), transform=PercentileTransform()
        )


@pytest.mark.parametrize(
    ("metric", "price_adjusted", "expected"),
    [
        ("breadth", None, True),
        ("depth", None, True),
        ("reach", None, True),
        ("events", None, False),
        ("events", True, True),
        ("breadth", False, False),
    ],
)
def test_usage_is_ranked_relative_to_price_unless_configured_otherwise(
    metric: str, *, price_adjusted: bool | None, expected: bool
) -> None:
    assert (
        make_measure(metric, PercentileTransform(price_adjusted=price_adjusted)).is_price_adjusted
        == expected
    )


def test_only_a_percentile_is_price_adjusted() -> None:
    assert not make_measure("breadth", LinearTransform(at_0=0, at_100=1)).is_price_adjusted
    assert not make_measure(
        "breadth", ThresholdsTransform(steps=[step(at_least=1)])
    ).is_price_adjusted


def test_where_lower_is_better_nothing_is_price_adjusted() -> None:
    assert not make_measure("breadth", direction="lower_is_better").is_price_adjusted
    with pytest.raises(ValidationError, match="price_adjusted needs higher_is_better"):
        make_measure(
            "events", PercentileTransform(price_adjusted=True), direction="lower_is_better"
        )


def test_momentum_is_not_ranked() -> None:
    with pytest.raises(ValidationError, match="Momentum is already on a 0-100 scale"):
        make_measure("momentum")
