"""Examples of the kind of each effect; test_explain_properties checks that they add up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.features.values import FeatureMap, FeatureSpec, ReachSource
from app.health.definition.benchmark import Benchmark, Measure, Normalizer
from app.health.definition.entitlement import Offer
from app.health.definition.measures import CardMeasure, LinearTransform, MetricSource, TraitSource
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import Adjustment, Card, Scorecard
from app.health.explanations.explain import EffectKind, ScoredDay, explain_change
from tests.health.builders import AS_OF, make_account, make_measure, simple_benchmark

SPEC = FeatureSpec(FeatureMap([("Export", "export")]), ReachSource(), "USD", 28)
PEERS = {"": simple_benchmark(Measure.REACH)}


def linear_measure(name: str, at_100: float = 100, **values: Any) -> CardMeasure:  # noqa: ANN401
    source = values.pop("source", None) or MetricSource(metric=name)
    kind = values.pop("kind", "linear_bounded")
    transform = LinearTransform(kind=kind, at_0=0, at_100=at_100)
    return CardMeasure(name=name, source=source, transform=transform, **values)


def scored_day(*measures: CardMeasure, adjustments: Any = (), **features: Any) -> ScoredDay:  # noqa: ANN401
    card = Card(measures=list(measures), adjustments=list(adjustments), min_coverage=0)
    offer = Offer({"export": 1.0}, {})
    definition = Definition(1, Scorecard(default=card), offer, SPEC, configured=True)
    return ScoredDay(AS_OF, make_account(**features), definition, PEERS, "default")


def points_by_row(before: ScoredDay, after: ScoredDay) -> dict[tuple[str, str | None], float]:
    return {
        (row.kind.value, row.measure): round(row.points, 6) for row in explain_change(before, after)
    }


def test_usage_is_ranked_again_at_the_old_price_and_the_price_then_at_the_new_usage() -> None:
    """10 per $100 is the median: 100 for $1,000 scores 50; 50 scores 25, and 50 for $500."""
    before = scored_day(make_measure("reach"), reached=100)
    after = scored_day(make_measure("reach"), reached=50, price_cents=50_000.0)

    assert points_by_row(before, after) == {("behaviour", "reach"): -25, ("price", "reach"): 25}


def test_another_benchmark_or_segment_is_an_effect_of_peers() -> None:
    before = scored_day(make_measure("reach"), reached=100)
    richer = simple_benchmark(Measure.REACH)
    fitted = richer.measures["reach"]
    harder = replace(fitted, priced=replace(fitted.priced, values=(20.0, 40.0)))
    peers = {"": PEERS[""], "large": replace(richer, measures={"reach": harder})}
    again = replace(before, benchmarks={"": peers["large"]})
    moved = replace(before, benchmarks=peers)
    moved = replace(moved, features=replace(moved.features, segment="large"))

    for after in (again, moved):
        assert points_by_row(before, after) == {("peers", "reach"): -25}


def test_a_measure_that_becomes_known_is_one_effect_of_coverage() -> None:
    """Half of the weight moves from a score of 40 to one of 100."""
    csat = linear_measure("csat", 5, source=TraitSource(trait="csat"))
    before = scored_day(linear_measure("seats"), csat, seats=40)
    after = scored_day(linear_measure("seats"), csat, seats=40, traits={"csat": 5})

    [row] = explain_change(before, after)

    assert row.kind is EffectKind.COVERAGE
    assert row.points == pytest.approx(30)
    assert (row.added, row.removed) == (["csat"], [])


def test_a_measure_that_becomes_known_does_not_change_earlier_effects() -> None:
    csat = linear_measure("csat", 5, source=TraitSource(trait="csat"))
    before = scored_day(linear_measure("active_days"), csat, active_days=10, price_cents=1.0)
    after = scored_day(linear_measure("active_days"), csat, active_days=20, traits={"csat": 5})

    rows = points_by_row(before, after)

    assert rows[("behaviour", "active_days")] == pytest.approx(0.75 * 10)
    assert sum(rows.values()) == pytest.approx((20 + 100) / 2 - 10)


def test_passing_time_is_behaviour_and_a_new_renewal_is_price() -> None:
    soon = AS_OF + timedelta(days=60)
    before = scored_day(linear_measure("days_to_renewal"), renewal_on=soon)
    later = replace(before, as_of=AS_OF + timedelta(days=20))
    renewed = replace(later, features=replace(later.features, renewal_on=soon + timedelta(days=30)))

    assert points_by_row(before, later) == {("behaviour", "days_to_renewal"): -20}
    assert points_by_row(before, renewed) == {
        ("behaviour", "days_to_renewal"): -20,
        ("price", "days_to_renewal"): 30,
    }


def test_an_adjustment_is_an_effect_of_its_cause() -> None:
    ends = Adjustment(when={"field": "seats", "op": "lt", "value": 10}, at_most=5, reason="Few.")
    before = scored_day(linear_measure("active_days"), adjustments=[ends], active_days=50, seats=20)
    after = scored_day(linear_measure("active_days"), adjustments=[ends], active_days=60, seats=9)

    rows = explain_change(before, after)

    assert points_by_row(before, after) == {("behaviour", "active_days"): 10, ("price", None): -55}
    assert rows[1].added == ["Few."]


def test_points_beyond_100_are_an_effect_of_their_own() -> None:
    before = scored_day(linear_measure("active_days", 10, kind="linear"), active_days=8)
    after = scored_day(linear_measure("active_days", 10, kind="linear"), active_days=20)

    assert points_by_row(before, after) == {
        ("behaviour", "active_days"): 120,
        ("behaviour", None): -100,
    }


def test_usage_counted_by_other_product_features_is_configuration() -> None:
    """Depth counts the users of product features: its old value by the new ones is unknown."""
    before = scored_day(
        linear_measure("depth"), linear_measure("reach"), active_users=10, reached=10
    )
    product = FeatureMap([("Share", "export")])
    definition = replace(before.definition, spec=replace(SPEC, product=product))
    features = replace(before.features, active_users=30, reached=20)
    after = replace(before, definition=definition, features=features)

    assert points_by_row(before, after) == {("behaviour", "reach"): 5, ("config", None): 10}


def test_a_product_feature_with_the_same_events_is_compared() -> None:
    before = scored_day(linear_measure("breadth", 2), adopted=["export"])
    product = FeatureMap([("Export", "export"), ("Share", "share")])
    offer = Offer({"export": 1.0, "share": 1.0}, {})
    definition = replace(before.definition, spec=replace(SPEC, product=product), offer=offer)
    features = replace(before.features, adopted=["share"])
    after = replace(before, definition=definition, features=features)

    assert points_by_row(before, after) == {("behaviour", "breadth"): -50, ("config", None): 50}


def test_prices_in_another_currency_are_configuration() -> None:
    before = scored_day(linear_measure("mrr", 1000), mrr_cents=100_00)
    euros = replace(before.definition, spec=replace(SPEC, base_currency="EUR"))
    after = replace(before, definition=euros, features=replace(before.features, mrr_cents=900_00))

    assert points_by_row(before, after) == {("config", None): 80}


def test_default_product_features_come_with_the_benchmark() -> None:
    """February has the features a and b, March a and c: losing b is an effect of peers."""
    before = scored_day(
        linear_measure("breadth", 4), linear_measure("depth"), adopted=["a", "b"], active_users=10
    )
    unnamed = replace(before.definition, configured=False)
    before = replace(before, definition=unnamed.with_default_features(("a", "b")))
    features = replace(before.features, adopted=["a"], active_users=30)
    march = unnamed.with_default_features(("a", "c"))
    after = replace(before, definition=march, features=features)

    assert points_by_row(before, after) == {("behaviour", "depth"): 10, ("peers", "breadth"): -12.5}


def test_shares_are_compared_without_peers() -> None:
    share = {"": Benchmark(Normalizer.SHARE, "", 3, 0, PEERS[""].measures, ())}
    before = replace(
        scored_day(make_measure("reach"), reached=10, end_customers=100), benchmarks=share
    )
    after = replace(before, features=replace(before.features, end_customers=50))

    assert points_by_row(before, after) == {("behaviour", "reach"): 10}
