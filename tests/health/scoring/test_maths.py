import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from app.health.definition.benchmark import (
    MEASURES,
    Benchmark,
    Knots,
    Measure,
    MeasureBenchmark,
    Normalizer,
)
from app.health.definition.scorecard import Band, Card
from app.health.scoring.maths import compute_scores
from tests.health.builders import (
    CARD,
    FIXED,
    NAN,
    card_with_weights,
    fit_peers,
    make_inputs,
    random_pool,
    simple_benchmark,
)


def momentum(now: list[float], previous: list[float], benchmark: Benchmark = FIXED) -> float:
    measured = compute_scores(CARD, benchmark, make_inputs(now, previous=previous)).measure_scores
    return float(measured[0, 3])


def test_a_measure_is_ranked_relative_to_the_price() -> None:
    scores = compute_scores(
        CARD, simple_benchmark(), make_inputs([[100, 200, 50]], price_cents=100_000)
    )

    assert_allclose(scores.adjusted, [[10, 20, 5, NAN]])
    assert_allclose(scores.measure_scores, [[50, 90, 25, 50]])
    assert_allclose(scores.per_dollar, [[10, 20, 5, NAN]])
    assert not scores.unpriced[0]


def test_the_health_score_is_the_weighted_mean() -> None:
    scores = compute_scores(
        CARD, simple_benchmark(), make_inputs([[100, 200, 50]], price_cents=100_000)
    )

    assert_allclose(scores.score, (50 + 90 + 25 + 0.5 * 50) / 3.5)


def test_the_elasticity_of_the_benchmark_adjusts_for_price() -> None:
    usage = make_inputs([[8, 8, 8], [16, 16, 16]], price_cents=[10_000, 40_000])
    root = MeasureBenchmark(0.5, Knots((8.0,), (50.0,)), Knots(), 8, 8)
    benchmark = Benchmark(Normalizer.SEGMENT, "all", 60, 50, dict.fromkeys(MEASURES, root), ())

    assert_allclose(compute_scores(CARD, benchmark, usage).adjusted[:, :3], 8)


def test_zero_scores_zero_and_the_best_is_clamped_to_the_last_knot() -> None:
    scores = compute_scores(
        CARD, simple_benchmark(), make_inputs([[0, 1e9, 1]], price_cents=100_000)
    )

    assert_allclose(scores.measure_scores[0, :3], [0, 90, 0.5])


def test_equal_accounts_score_equal() -> None:
    x = np.repeat([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], 30, axis=0)
    price_cents = np.full(60, 10_000.0)

    scores = compute_scores(
        CARD, fit_peers(x, price_cents), make_inputs(x, price_cents=price_cents)
    )

    assert_allclose(scores.measure_scores[:, 0], np.repeat([25.0, 75.0], 30))


def test_no_usage_is_zero_if_the_benchmark_has_the_measure() -> None:
    scores = compute_scores(
        CARD, simple_benchmark(), make_inputs([[100, 100, NAN]], previous=[NAN, 100, 100])
    )

    assert_allclose(scores.measure_scores, [[50, 50, 0, (100 + 50 + 0) / 3]])
    assert scores.coverage[0] == 1
    assert (scores.adjusted[0, 2], scores.per_dollar[0, 2]) == (0, 0)


def test_the_weight_of_a_missing_measure_goes_to_the_others() -> None:
    without_reach = simple_benchmark(Measure.BREADTH, Measure.DEPTH)

    scores = compute_scores(CARD, without_reach, make_inputs([[100, 200, 50]]))

    assert_allclose(scores.measure_scores, [[50, 90, NAN, 50]])
    assert_allclose(scores.score, (50 + 90 + 0.5 * 50) / 2.5)
    assert_allclose(scores.coverage, 2.5 / 3.5)


def test_per_dollar_is_shown_for_measures_missing_from_the_benchmark() -> None:
    without_reach = simple_benchmark(Measure.BREADTH, Measure.DEPTH)

    scores = compute_scores(CARD, without_reach, make_inputs([[100, 200, 50], [100, 200, NAN]]))

    assert_allclose(scores.per_dollar[:, 2], [5, NAN])
    assert np.isnan(scores.adjusted[:, 2]).all()


def test_too_low_coverage_gives_no_score() -> None:
    breadth_alone = compute_scores(
        CARD, simple_benchmark(Measure.BREADTH), make_inputs([[100, 200, 50]])
    )

    assert_allclose(breadth_alone.coverage, 1.5 / 3.5)
    assert np.isnan(breadth_alone.score[0])
    assert CARD.band(breadth_alone.score[0]) is Band.UNKNOWN


def test_coverage_on_the_threshold_is_enough() -> None:
    card = card_with_weights(breadth=0.1, depth=0.7, reach=0.8)

    scores = compute_scores(
        card, simple_benchmark(Measure.BREADTH, Measure.DEPTH), make_inputs([[100, 100, 100]])
    )

    assert (scores.coverage[0], scores.score[0]) == (0.5, pytest.approx(50))


@pytest.mark.parametrize("min_coverage", [0.0, 0.5])
def test_a_benchmark_without_measures_gives_no_score(min_coverage: float) -> None:
    empty = Benchmark(Normalizer.SHARE, "all", 0, 0, {}, ())

    scores = compute_scores(
        Card(min_coverage=min_coverage), empty, make_inputs([[1, 2, 3]], shares=1)
    )

    assert (scores.coverage[0], np.isnan(scores.score[0])) == (0, True)
    assert np.isnan(scores.measure_scores).all()


@pytest.mark.parametrize(
    "card",
    [
        card_with_weights(breadth=3, depth=1),
        card_with_weights(breadth=3, depth=1, reach=0, momentum=0),
    ],
    ids=["left out", "zero"],
)
def test_weights_decide_and_a_missing_weight_is_zero(card: Card) -> None:
    scores = compute_scores(card, simple_benchmark(), make_inputs([[100, 200, 0]]))

    assert_allclose(scores.score, (3 * 50 + 90) / 4)
    assert_allclose(scores.coverage, 1)


def test_the_best_in_everything_scores_exactly_one_hundred() -> None:
    card = card_with_weights(breadth=0.1, depth=0.1, reach=1.4, momentum=0.5)
    alone = simple_benchmark(normalizer=Normalizer.SHARE)

    assert (
        compute_scores(card, alone, make_inputs([[2, 2, 2]], previous=1, shares=1)).score[0] == 100
    )


@pytest.mark.parametrize(
    ("now", "previous", "expected"),
    [
        ([10, 10, 10], [10, 10, 10], 50),
        ([20, 20, 20], [10, 10, 10], 100),
        ([5, 5, 5], [10, 10, 10], 0),
        ([90, 90, 90], [10, 10, 10], 100),
        ([1, 1, 1], [10, 10, 10], 0),
        ([10, 20, 5], [10, 10, 10], 50),
        ([10, 10, 10], [0, 10, 10], 200 / 3),
        ([0, 10, 10], [10, 10, 10], 100 / 3),
        ([0, 10, 20], [0, 10, 10], 75),
        ([0, 0, 0], [0, 0, 0], 0),
        ([0, 0, 0], [1, 0, 0], 0),
        ([1, 0, 0], [0, 0, 0], 100),
    ],
)
def test_momentum(now: list[float], previous: list[float], expected: float) -> None:
    assert momentum(now, previous) == pytest.approx(expected)


def test_momentum_uses_the_measures_of_the_benchmark() -> None:
    without_reach = simple_benchmark(Measure.BREADTH, Measure.DEPTH)

    assert momentum([10, 10, 0], [10, 10, 10], without_reach) == 50


def test_an_unpriced_account_is_ranked_by_plain_usage_and_marked() -> None:
    usage = make_inputs([[100, 200, 50]] * 2, price_cents=[NAN, 100_000])

    scores = compute_scores(CARD, simple_benchmark(), usage)

    assert scores.unpriced.tolist() == [True, False]
    assert_allclose(scores.measure_scores[0], [50, 90, 25, 50])
    assert_allclose(scores.adjusted[0], [100, 200, 50, NAN])
    assert np.isnan(scores.per_dollar[0]).all()


def test_all_accounts_are_unpriced_if_fewer_than_twenty_pay() -> None:
    scores = compute_scores(
        CARD, simple_benchmark(priced_accounts=19), make_inputs([[100, 200, 50]])
    )

    assert scores.unpriced.all()
    assert np.isnan(scores.per_dollar).all()
    assert_allclose(scores.measure_scores, [[50, 90, 25, 50]])


def test_a_measure_with_few_paying_accounts_is_ranked_without_price() -> None:
    x, price_cents = random_pool(60, growth=0.9)
    x[19:, 2] = NAN
    benchmark = fit_peers(x, price_cents)

    scores = compute_scores(CARD, benchmark, make_inputs(x[:19], price_cents=price_cents[:19]))

    assert benchmark.measures[Measure.REACH].elasticity == 0
    assert_array_equal(scores.adjusted[:, 2], x[:19, 2])
    assert not np.isnan(scores.measure_scores).any()


def test_without_peers_the_score_is_the_share() -> None:
    alone = simple_benchmark(normalizer=Normalizer.SHARE, priced_accounts=3)

    scores = compute_scores(CARD, alone, make_inputs([[3, 8, 9]], shares=[0.25, 1.6, NAN]))

    assert_allclose(scores.measure_scores, [[25, 100, NAN, 50]])
    assert_allclose(scores.score, (25 + 100 + 25) / 2.5)
    assert scores.unpriced.all()
