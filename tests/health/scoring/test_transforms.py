"""Transforms of numbers to 0-100, one card with one measure at a time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from app.health.definition.benchmark import Knots, Measure, MeasureBenchmark, Normalizer
from app.health.definition.measures import (
    EventsSource,
    LinearTransform,
    PercentileTransform,
    ThresholdStep,
    ThresholdsTransform,
    Transform,
)
from app.health.definition.scorecard import Card
from app.health.scoring.maths import apply_linear, apply_thresholds, compute_scores
from tests.health.builders import NAN, make_inputs, make_measure, simple_benchmark

TICKETS = EventsSource(events=["Filed"], days=90)


def measure_scores(
    transform: Transform,
    values: list[float],
    *,
    normalizer: Normalizer = Normalizer.WORKSPACE,
    price_cents: float = 100_000,
    **config: object,
) -> list[float]:
    """Score numbers of tickets. The plain median is 10; 1 per $100 has percentile 40."""
    only = make_measure("tickets", transform, source=TICKETS, **config)
    base = simple_benchmark(normalizer=normalizer)
    plain, priced = Knots((10.0, 20.0), (50.0, 90.0)), Knots((1.0, 2.0), (40.0, 80.0))
    fitted = MeasureBenchmark(1.0, priced, plain, 10, 1)
    base.measures[TICKETS.key] = fitted  # type: ignore[index]
    given = make_inputs(
        [[0, 0, 0]] * len(values), price_cents=price_cents, others={TICKETS.key: values}
    )
    found: list[float] = (
        compute_scores(Card(measures=[only]), base, given).measure_scores[:, 0].tolist()
    )
    return found


def test_a_percentile_ignores_the_price_unless_configured() -> None:
    assert measure_scores(PercentileTransform(), [0, 10, 20]) == [0, 50, 90]
    assert measure_scores(PercentileTransform(price_adjusted=True), [0, 10, 20]) == [0, 40, 80]


def test_usage_is_ranked_relative_to_price_unless_configured_otherwise() -> None:
    plain = Card(measures=[make_measure("breadth", PercentileTransform(price_adjusted=False))])
    given = make_inputs([[100, 0, 0]], price_cents=200_000)

    scores = compute_scores(plain, simple_benchmark(), given)
    priced = compute_scores(Card(measures=[make_measure("breadth")]), simple_benchmark(), given)

    assert (scores.measure_scores[0, 0], priced.measure_scores[0, 0]) == (50, 25)
    assert (scores.adjusted[0, 0], priced.adjusted[0, 0]) == (100, 5)
    assert_allclose([scores.per_dollar[0, 0], priced.per_dollar[0, 0]], [NAN, 5])


def test_an_unpriced_account_is_ranked_by_plain_values() -> None:
    for_price = PercentileTransform(price_adjusted=True)

    assert measure_scores(for_price, [10.0], price_cents=NAN) == [50]


def test_where_lower_is_better_the_rank_is_inverted() -> None:
    turned = measure_scores(PercentileTransform(), [0, 10, 20, NAN], direction="lower_is_better")

    assert_allclose(turned, [100, 50, 10, NAN])


def test_where_lower_is_better_the_share_is_inverted_too() -> None:
    alone = simple_benchmark(Measure.DEPTH, normalizer=Normalizer.SHARE)
    card = Card(measures=[make_measure("depth", direction="lower_is_better")])
    given = make_inputs([[0, 9, 0]] * 3, shares=[[NAN] * 3, [0.3] * 3, [1.5] * 3])

    assert_allclose(compute_scores(card, alone, given).measure_scores[:, 0], [NAN, 70, 0])


def test_without_peers_a_measure_without_a_share_is_missing() -> None:
    assert np.isnan(
        measure_scores(PercentileTransform(), [10.0], normalizer=Normalizer.SHARE)
    ).all()


def test_a_measure_that_no_peer_has_cannot_be_ranked() -> None:
    unknown = Card(measures=[make_measure("csat", source=EventsSource(events=["Rated"]))])
    given = make_inputs([[1, 1, 1]], others={"Rated in 28 days": [3.0]})

    assert np.isnan(compute_scores(unknown, simple_benchmark(), given).measure_scores).all()


STEPS = ThresholdsTransform(
    below=5,
    steps=[
        ThresholdStep(at_least=1, score=20),
        ThresholdStep(at_least=3, score=10),
        ThresholdStep(above=5, score=90),
    ],
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-1, 5), (0.999, 5), (1, 20), (2.99, 20), (3, 10), (5, 10), (5.000001, 90), (1e15, 90)],
)
def test_the_highest_step_reached_sets_the_score(value: float, expected: float) -> None:
    assert measure_scores(STEPS, [value]) == [expected]


def test_an_unknown_number_reaches_no_step_and_is_not_below_them_either() -> None:
    assert_allclose(apply_thresholds(STEPS, np.array([NAN, 0.0])), [NAN, 5])


def test_steps_and_lines_need_no_peers() -> None:
    line = LinearTransform(at_0=0, at_100=40)

    assert measure_scores(STEPS, [3.0], normalizer=Normalizer.SHARE) == [10]
    assert measure_scores(line, [10.0], normalizer=Normalizer.SHARE) == [25]


def test_a_bounded_line_rises_or_falls_within_0_and_100() -> None:
    values = np.array([-10.0, 0.0, 30.0, 60.0, 90.0, NAN])

    assert_allclose(
        apply_linear(LinearTransform(at_0=0, at_100=60), values), [0, 0, 50, 100, 100, NAN]
    )
    assert_allclose(
        apply_linear(LinearTransform(at_0=60, at_100=0), values), [100, 100, 50, 0, 0, NAN]
    )


def test_an_unbounded_line_goes_beyond_and_the_score_stays_within() -> None:
    beyond = LinearTransform(kind="linear", at_0=0, at_100=10)

    assert measure_scores(beyond, [-5.0, 5.0, 20.0]) == [-50, 50, 200]
    scores = compute_scores(
        Card(measures=[make_measure("tickets", beyond, source=TICKETS)]),
        simple_benchmark(),
        make_inputs([[0, 0, 0]] * 2, others={TICKETS.key: [-5.0, 20.0]}),
    )
    assert scores.score.tolist() == [0, 100]


def test_an_unbounded_line_can_make_up_for_another_measure() -> None:
    beyond = LinearTransform(kind="linear", at_0=0, at_100=10)
    none = ThresholdsTransform(steps=[ThresholdStep(at_least=1e9, score=100)])
    card = Card(
        measures=[
            make_measure("tickets", beyond, source=TICKETS),
            make_measure("more", none, source=TICKETS, weight=3),
        ]
    )

    given = make_inputs([[0, 0, 0]], others={TICKETS.key: [20.0]})

    assert compute_scores(card, simple_benchmark(), given).score[0] == 50


def test_a_steep_line_is_clipped_where_sums_are_still_exact() -> None:
    steep = LinearTransform(kind="linear", at_0=0, at_100=5e-324)

    assert apply_linear(steep, np.array([-1e15, 0.0, 1e15])).tolist() == [-1e6, 0, 1e6]


@pytest.mark.parametrize(
    "transform", [PercentileTransform(), STEPS, LinearTransform(at_0=0, at_100=1)]
)
def test_a_missing_number_is_left_out_or_has_the_configured_score(transform: Transform) -> None:
    assert np.isnan(measure_scores(transform, [NAN])).all()
    assert measure_scores(transform, [NAN], missing=35) == [35]
    assert measure_scores(transform, [NAN], missing=0) == [0]


def test_the_configured_score_of_a_missing_number_counts_as_known() -> None:
    card = Card(
        measures=[
            make_measure("csat", source=TICKETS, missing=20),
            make_measure("events", LinearTransform(at_0=0, at_100=10)),
        ]
    )
    given = make_inputs([[0, 0, 0]], others={TICKETS.key: [NAN], "events": [8.0]})

    scores = compute_scores(card, simple_benchmark(), given)

    assert (scores.score[0], scores.coverage[0]) == (50, 1)
    assert np.isnan(scores.raw[0, 0])
