import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr

from app.health.benchmark import (
    MEASURES,
    Benchmark,
    Floats,
    Knots,
    Measure,
    MeasureBenchmark,
    Normalizer,
    fit,
)
from app.health.scorecard import SCORED, Band, Inputs, Scorecard, Scores, band, bands, score

NAN = np.nan
CARD = Scorecard()

checked = settings(deadline=None, derandomize=True, max_examples=100)
amounts = st.floats(0, 1e5) | st.sampled_from([0.0, 1.0, 2.0, 10.0])
shares = st.floats(0, 2) | st.just(NAN)
prices = st.floats(1, 1e7) | st.sampled_from([4_900.0, 19_900.0])


def pool(accounts: int, *, growth: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Usage x (n, 3) that grows as price^growth with lognormal noise, and price_cents (n,)."""
    random = np.random.default_rng(seed)
    price_cents = random.lognormal(np.log(20_000), 1.0, accounts)
    typical = 10 * (price_cents / 10_000) ** growth
    return typical[:, np.newaxis] * random.lognormal(0, 0.5, (accounts, 3)), price_cents


def peers(x: Floats, price_cents: Floats, *, price_exponent: float | None = None) -> Benchmark:
    return fit(
        x,
        price_cents,
        np.arange(len(x)),
        segment="all",
        normalizer=Normalizer.SEGMENT,
        price_exponent=price_exponent,
        product_features=(),
    )


FIXED = peers(*pool(200, growth=0.9))


def simple(
    *measures: Measure, normalizer: Normalizer = Normalizer.SEGMENT, priced_accounts: int = 50
) -> Benchmark:
    """Elasticity 1; 10 per $100 or 100 in all is the median, 20 and 200 the top, at 90."""
    priced, plain = Knots((10.0, 20.0), (50.0, 90.0)), Knots((100.0, 200.0), (50.0, 90.0))
    known = MeasureBenchmark(1.0, priced, plain, 100.0, 10.0)
    return Benchmark(
        normalizer, "all", 60, priced_accounts, dict.fromkeys(measures or MEASURES, known), ()
    )


def inputs(
    now: Any,  # noqa: ANN401
    *,
    previous: Any = None,  # noqa: ANN401
    shares: Any = NAN,  # noqa: ANN401
    price_cents: Any = 100_000.0,  # noqa: ANN401
) -> Inputs:
    """Rows of now; anything else may be one number for all. Previous is now unless given."""
    now = np.atleast_2d(np.array(now, dtype=np.float64))
    previous = now if previous is None else previous
    return Inputs(
        now=now,
        previous=np.array(np.broadcast_to(previous, now.shape), dtype=np.float64),
        shares=np.array(np.broadcast_to(shares, now.shape), dtype=np.float64),
        price_cents=np.array(np.broadcast_to(price_cents, len(now)), dtype=np.float64),
    )


def momentum(now: list[float], previous: list[float], benchmark: Benchmark = FIXED) -> float:
    measured = score(CARD, benchmark, inputs(now, previous=previous)).measure_scores
    return float(measured[0, 3])


@st.composite
def accounts(draw: st.DrawFn, *, priced: bool = False) -> Inputs:
    n = draw(st.integers(1, 8))
    three = st.tuples(amounts, amounts, amounts)
    paid = prices if priced else prices | st.just(NAN)
    return inputs(
        draw(st.lists(three, min_size=n, max_size=n)),
        previous=draw(st.lists(three, min_size=n, max_size=n)),
        shares=draw(st.lists(st.tuples(shares, shares, shares), min_size=n, max_size=n)),
        price_cents=draw(st.lists(paid, min_size=n, max_size=n)),
    )


def rows(given: Inputs, chosen: Any) -> Inputs:  # noqa: ANN401
    return Inputs(
        given.now[chosen], given.previous[chosen], given.shares[chosen], given.price_cents[chosen]
    )


def assert_same(one: Scores, other: Scores, chosen: Any = slice(None)) -> None:  # noqa: ANN401
    """Equal to the last digit."""
    for name in Scores.__dataclass_fields__:
        assert_array_equal(getattr(one, name)[chosen], getattr(other, name))


@checked
@given(given=accounts())
def test_scores_and_coverage_stay_within_their_range(given: Inputs) -> None:
    scores = score(CARD, FIXED, given)

    assert ((scores.score >= 0) & (scores.score <= 100)).all()
    assert ((scores.measure_scores >= 0) & (scores.measure_scores <= 100)).all()
    assert_array_equal(scores.coverage, 1.0)


@checked
@given(given=accounts(), more=st.tuples(amounts, amounts, amounts))
def test_more_of_any_raw_value_never_lowers_the_score(
    given: Inputs, more: tuple[float, float, float]
) -> None:
    grown = Inputs(given.now + more, given.previous, given.shares, given.price_cents)

    before, after = score(CARD, FIXED, given), score(CARD, FIXED, grown)

    assert (after.score >= before.score - 1e-9).all()
    assert (after.measure_scores >= before.measure_scores - 1e-9).all()


@checked
@given(given=accounts(priced=True), factor=st.floats(1, 100))
def test_a_higher_price_never_raises_the_score(given: Inputs, factor: float) -> None:
    dearer = Inputs(given.now, given.previous, given.shares, given.price_cents * factor)

    assert (score(CARD, FIXED, dearer).score <= score(CARD, FIXED, given).score + 1e-9).all()


@checked
@given(given=accounts(), seed=st.integers(0, 100))
def test_neither_order_nor_company_changes_the_last_digit(given: Inputs, seed: int) -> None:
    scores = score(CARD, FIXED, given)
    order = np.random.default_rng(seed).permutation(len(given.now))

    assert_same(scores, score(CARD, FIXED, rows(given, order)), order)
    assert_same(scores, score(CARD, FIXED, rows(given, slice(0, 1))), slice(0, 1))
    assert_same(scores, score(CARD, FIXED, rows(given, slice(None, None, 2))), slice(None, None, 2))


@checked
@given(given=accounts())
def test_the_same_inputs_and_stored_benchmark_give_the_same_digits(given: Inputs) -> None:
    stored = Benchmark.from_json(json.loads(json.dumps(FIXED.to_json())))
    by_column = Inputs(
        np.asfortranarray(given.now),
        np.asfortranarray(given.previous),
        np.asfortranarray(given.shares),
        given.price_cents,
    )

    assert_same(score(CARD, FIXED, given), score(CARD, stored, by_column))


def test_an_account_of_many_scores_as_it_does_alone() -> None:
    x, price_cents = pool(10_000, growth=0.9, seed=3)
    many = inputs(x, previous=x[::-1], price_cents=price_cents)

    assert_same(
        score(CARD, FIXED, many), score(CARD, FIXED, rows(many, slice(77, 78))), slice(77, 78)
    )


def test_no_accounts_are_no_scores() -> None:
    assert score(CARD, FIXED, inputs(np.empty((0, 3)))).score.shape == (0,)


def test_a_measure_is_ranked_by_what_the_account_gets_for_its_price() -> None:
    scores = score(CARD, simple(), inputs([[100, 200, 50]], price_cents=100_000))

    assert_allclose(scores.adjusted, [[10, 20, 5]])
    assert_allclose(scores.measure_scores, [[50, 90, 25, 50]])
    assert_allclose(scores.per_dollar, [[10, 20, 5]])
    assert not scores.unpriced[0]


def test_the_health_score_is_the_weighted_mean() -> None:
    scores = score(CARD, simple(), inputs([[100, 200, 50]], price_cents=100_000))

    assert_allclose(scores.score, (50 + 90 + 25 + 0.5 * 50) / 3.5)


def test_the_elasticity_of_the_benchmark_says_how_much_a_price_counts() -> None:
    usage = inputs([[8, 8, 8], [16, 16, 16]], price_cents=[10_000, 40_000])
    root = MeasureBenchmark(0.5, Knots((8.0,), (50.0,)), Knots(), 8, 8)
    benchmark = Benchmark(Normalizer.SEGMENT, "all", 60, 50, dict.fromkeys(MEASURES, root), ())

    assert_allclose(score(CARD, benchmark, usage).adjusted, 8)


def test_zero_scores_zero_and_the_best_is_clamped_to_the_last_knot() -> None:
    scores = score(CARD, simple(), inputs([[0, 1e9, 1]], price_cents=100_000))

    assert_allclose(scores.measure_scores[0, :3], [0, 90, 0.5])


def test_equal_accounts_score_equal() -> None:
    x = np.repeat([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], 30, axis=0)
    price_cents = np.full(60, 10_000.0)

    scores = score(CARD, peers(x, price_cents), inputs(x, price_cents=price_cents))

    assert_allclose(scores.measure_scores[:, 0], np.repeat([25.0, 75.0], 30))


def test_none_in_the_window_is_zero_where_the_benchmark_has_the_measure() -> None:
    scores = score(CARD, simple(), inputs([[100, 100, NAN]], previous=[NAN, 100, 100]))

    assert_allclose(scores.measure_scores, [[50, 50, 0, (100 + 50 + 0) / 3]])
    assert scores.coverage[0] == 1
    assert (scores.adjusted[0, 2], scores.per_dollar[0, 2]) == (0, 0)


def test_the_weight_of_a_missing_measure_goes_to_the_others() -> None:
    without_reach = simple(Measure.BREADTH, Measure.DEPTH)

    scores = score(CARD, without_reach, inputs([[100, 200, 50]]))

    assert_allclose(scores.measure_scores, [[50, 90, NAN, 50]])
    assert_allclose(scores.score, (50 + 90 + 0.5 * 50) / 2.5)
    assert_allclose(scores.coverage, 2.5 / 3.5)


def test_what_is_missing_from_the_benchmark_is_shown_per_dollar_where_it_is_known() -> None:
    without_reach = simple(Measure.BREADTH, Measure.DEPTH)

    scores = score(CARD, without_reach, inputs([[100, 200, 50], [100, 200, NAN]]))

    assert_allclose(scores.per_dollar[:, 2], [5, NAN])
    assert np.isnan(scores.adjusted[:, 2]).all()


def test_too_small_a_coverage_gives_no_score() -> None:
    breadth_alone = score(CARD, simple(Measure.BREADTH), inputs([[100, 200, 50]]))

    assert_allclose(breadth_alone.coverage, 1.5 / 3.5)
    assert np.isnan(breadth_alone.score[0])
    assert bands(CARD, breadth_alone.score) == [Band.UNKNOWN]


def test_coverage_on_the_threshold_is_enough() -> None:
    half = {Measure.BREADTH: 0.1, Measure.DEPTH: 0.7, Measure.REACH: 0.8}
    card = Scorecard(weights=half)

    scores = score(card, simple(Measure.BREADTH, Measure.DEPTH), inputs([[100, 100, 100]]))

    assert (scores.coverage[0], scores.score[0]) == (0.5, pytest.approx(50))


@pytest.mark.parametrize("min_coverage", [0.0, 0.5])
def test_a_benchmark_without_measures_gives_no_score(min_coverage: float) -> None:
    empty = Benchmark(Normalizer.SHARE, "all", 0, 0, {}, ())

    scores = score(Scorecard(min_coverage=min_coverage), empty, inputs([[1, 2, 3]], shares=1))

    assert (scores.coverage[0], np.isnan(scores.score[0])) == (0, True)
    assert np.isnan(scores.measure_scores).all()


def test_weights_decide_and_a_weight_left_out_is_zero() -> None:
    card = Scorecard(weights={Measure.BREADTH: 3, Measure.DEPTH: 1})

    scores = score(card, simple(), inputs([[100, 200, 0]]))

    assert_allclose(scores.score, (3 * 50 + 90) / 4)
    assert_allclose(scores.coverage, 1)


def test_the_best_in_everything_scores_one_hundred_and_not_a_digit_more() -> None:
    card = Scorecard(weights=dict(zip(SCORED, [0.1, 0.1, 1.4, 0.5], strict=True)))
    alone = simple(normalizer=Normalizer.SHARE)

    assert score(card, alone, inputs([[2, 2, 2]], previous=1, shares=1)).score[0] == 100


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


def test_momentum_is_of_the_measures_that_the_benchmark_has() -> None:
    without_reach = simple(Measure.BREADTH, Measure.DEPTH)

    assert momentum([10, 10, 0], [10, 10, 10], without_reach) == 50


def test_an_unpriced_account_ranks_by_its_plain_usage_and_is_marked() -> None:
    usage = inputs([[100, 200, 50]] * 2, price_cents=[NAN, 100_000])

    scores = score(CARD, simple(), usage)

    assert scores.unpriced.tolist() == [True, False]
    assert_allclose(scores.measure_scores[0], [50, 90, 25, 50])
    assert_allclose(scores.adjusted[0], [100, 200, 50])
    assert np.isnan(scores.per_dollar[0]).all()


def test_all_are_unpriced_where_fewer_than_twenty_accounts_pay() -> None:
    scores = score(CARD, simple(priced_accounts=19), inputs([[100, 200, 50]]))

    assert scores.unpriced.all()
    assert np.isnan(scores.per_dollar).all()
    assert_allclose(scores.measure_scores, [[50, 90, 25, 50]])


def test_a_measure_taken_of_few_paying_accounts_is_ranked_without_price() -> None:
    x, price_cents = pool(60, growth=0.9)
    x[19:, 2] = NAN
    benchmark = peers(x, price_cents)

    scores = score(CARD, benchmark, inputs(x[:19], price_cents=price_cents[:19]))

    assert benchmark.measures[Measure.REACH].elasticity == 0
    assert_array_equal(scores.adjusted[:, 2], x[:19, 2])
    assert not np.isnan(scores.measure_scores).any()


def test_without_peers_the_score_is_the_share_of_what_was_bought() -> None:
    alone = simple(normalizer=Normalizer.SHARE, priced_accounts=3)

    scores = score(CARD, alone, inputs([[3, 8, 9]], shares=[0.25, 1.6, NAN]))

    assert_allclose(scores.measure_scores, [[25, 100, NAN, 50]])
    assert_allclose(scores.score, (25 + 100 + 25) / 2.5)
    assert scores.unpriced.all()


@pytest.mark.parametrize("growth", [0.5, 0.9, 1.4])
def test_scores_do_not_follow_the_price(growth: float) -> None:
    x, price_cents = pool(400, growth=growth)

    scores = score(CARD, peers(x, price_cents), inputs(x, price_cents=price_cents))

    assert abs(spearmanr(scores.score, price_cents).statistic) <= 0.2


def test_the_plain_ratio_punishes_whoever_pays_more() -> None:
    x, price_cents = pool(400, growth=0.5)
    plain_ratio = peers(x, price_cents, price_exponent=1.0)

    scores = score(CARD, plain_ratio, inputs(x, price_cents=price_cents))

    assert spearmanr(scores.score, price_cents).statistic < -0.5


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
    assert band(CARD, value) is expected


def test_bands_follow_the_scorecard() -> None:
    card = Scorecard(watch_from=40, healthy_from=70)

    assert bands(card, np.array([39.0, 40.0, 70.0, NAN])) == [
        Band.AT_RISK,
        Band.WATCH,
        Band.HEALTHY,
        Band.UNKNOWN,
    ]


def test_a_scorecard_survives_json() -> None:
    card = Scorecard(version=3, weights={Measure.REACH: 2.5}, price_exponent=1.0, window_days=14)

    assert Scorecard.from_json(json.loads(json.dumps(card.to_json()))) == card
    assert Scorecard.from_json(CARD.to_json()) == CARD


def test_settings_that_are_absent_take_their_default() -> None:
    assert Scorecard.from_json({}) == CARD
    assert Scorecard.from_json({"healthy_from": 60}) == Scorecard(healthy_from=60)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"version": 0}, "versions count from 1"),
        ({"weights": {"breadth": -1}}, "zero or more"),
        ({"weights": {"breadth": NAN}}, "zero or more"),
        ({"weights": {"breadth": 0}}, "must be positive"),
        ({"weights": {}}, "must be positive"),
        ({"weights": {"charm": 1}}, "breadth, depth, reach, momentum only"),
        ({"watch_from": 0}, "0 < watch_from"),
        ({"watch_from": 50}, "0 < watch_from"),
        ({"healthy_from": 100}, "0 < watch_from"),
        ({"window_days": 0}, "7, 14, 21 or 28"),
        ({"window_days": 10}, "7, 14, 21 or 28"),
        ({"window_days": 35}, "7, 14, 21 or 28"),
        ({"price_exponent": -0.1}, "between 0 and 2"),
        ({"min_coverage": 1.1}, "between 0 and 1"),
        ({"colour": "red"}, "no setting named colour"),
    ],
)
def test_a_scorecard_that_makes_no_sense_is_refused(
    settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Scorecard.from_json(settings)
