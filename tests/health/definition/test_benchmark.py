import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import theilslopes

from app.core.arrays import Floats
from app.health.definition.benchmark import (
    MAX_KNOTS,
    MEASURES,
    MIN_KNOT,
    Knots,
    Measure,
    build_knots,
    elasticity,
    log_points,
    percentile,
)
from tests.health.builders import PRICES, paying_accounts

checked = settings(max_examples=100)


amounts = st.floats(0, 1e6) | st.sampled_from([0.0, 1.0, 2.0, 3.0])


pools = st.lists(amounts, max_size=40).map(lambda pool: np.array(pool, dtype=np.float64))


def test_columns_are_breadth_depth_and_reach_in_that_order() -> None:
    assert MEASURES == (Measure.BREADTH, Measure.DEPTH, Measure.REACH)


def test_knots_are_the_distinct_values_with_their_mid_rank() -> None:
    assert build_knots(np.array([3.0, 1.0, 2.0, 4.0])) == Knots(
        (1.0, 2.0, 3.0, 4.0), (12.5, 37.5, 62.5, 87.5)
    )


def test_ties_are_merged_into_one_knot() -> None:
    assert build_knots(np.array([1.0, 1.0, 1.0, 2.0])) == Knots((1.0, 2.0), (37.5, 87.5))


def test_zeros_count_for_ranks_but_get_no_knot() -> None:
    assert build_knots(np.array([0.0, 0.0, 1.0, 2.0])) == Knots((1.0, 2.0), (62.5, 87.5))


def test_missing_values_do_not_count() -> None:
    assert build_knots(np.array([np.nan, 1.0, np.nan, 2.0])) == build_knots(np.array([1.0, 2.0]))


@pytest.mark.parametrize("pool", [[], [np.nan], [0.0, 0.0]])
def test_a_pool_without_usage_has_no_knots(pool: list[float]) -> None:
    assert build_knots(np.array(pool, dtype=np.float64)) == Knots()


def test_a_large_pool_is_thinned_evenly_and_keeps_its_ends() -> None:
    pool = np.arange(1.0, 60_001.0)

    thinned = build_knots(pool)

    assert len(thinned.values) == MAX_KNOTS
    assert (thinned.values[0], thinned.values[-1]) == (1.0, 60_000.0)
    assert set(np.diff(thinned.values)) <= {29.0, 30.0, 31.0}
    assert_allclose(percentile(thinned, pool), 100 * (pool - 0.5) / 60_000)


def test_percentiles_are_linear_from_zero_through_the_knots() -> None:
    known = Knots((2.0, 4.0), (40.0, 80.0))

    assert_allclose(percentile(known, np.array([0.0, 1.0, 2.0, 3.0, 4.0])), [0, 20, 40, 60, 80])


def test_the_smallest_floats_count_as_zero() -> None:
    """Between 0 and a knot of 5e-324 the slope is infinite: the percentile was nan or infinite."""
    known = build_knots(np.array([5e-324, 5e-324, 1.0, 1.0]))

    assert known == Knots((1.0,), (75.0,))
    assert_allclose(percentile(known, np.array([0.0, 5e-324, 0.5])), [0, 0, 37.5], atol=1e-9)


def test_percentiles_are_clamped_to_the_last_knot_and_to_zero() -> None:
    known = Knots((2.0, 4.0), (40.0, 80.0))

    assert_allclose(percentile(known, np.array([-1.0, 4.1, 1e300])), [0, 80, 80])


def test_the_percentile_of_a_missing_value_is_missing() -> None:
    known = Knots((2.0, 4.0), (40.0, 80.0))

    assert_allclose(percentile(known, np.array([np.nan, 2.0])), [np.nan, 40])


def test_without_knots_every_percentile_is_missing() -> None:
    assert np.isnan(percentile(Knots(), np.array([0.0, 1.0]))).all()


@checked
@given(pool=pools, values=st.lists(amounts, min_size=2, max_size=10).map(sorted))
def test_percentiles_never_fall_and_stay_within_0_and_100(
    pool: Floats, values: list[float]
) -> None:
    ranks = percentile(build_knots(pool), np.array(values))
    if (pool >= MIN_KNOT).any():
        assert (np.diff(ranks) >= -1e-9).all()
        assert ((ranks >= 0) & (ranks <= 100)).all()
    else:
        assert np.isnan(ranks).all()


@checked
@given(pool=pools.filter(lambda pool: bool((pool >= MIN_KNOT).any())))
def test_a_member_of_the_pool_scores_its_mid_rank(pool: Floats) -> None:
    value = float(pool.max())
    below, equal = (pool < value).sum(), (pool == value).sum()

    rank = percentile(build_knots(pool), np.array([value]))

    assert rank[0] == pytest.approx(100 * (below + equal / 2) / pool.size)


@pytest.mark.parametrize("growth", [0.5, 0.9, 1.4, 1.8])
def test_elasticity_is_recovered_from_noisy_usage(growth: float) -> None:
    x, price_cents, account = paying_accounts(400, growth=growth)

    assert elasticity(x[:, 0], price_cents, account) == pytest.approx(growth, abs=0.06)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_elasticity_is_the_theil_sen_slope(seed: int) -> None:
    x, price_cents, account = paying_accounts(150, growth=0.9, noise=1.0, seed=seed)
    slope = theilslopes(np.log(x[:, 0]), np.log(price_cents)).slope

    assert elasticity(x[:, 0], price_cents, account) == pytest.approx(slope, rel=1e-6)


def test_elasticity_uses_one_point_per_account() -> None:
    x, price_cents, account = paying_accounts(60, growth=0.9, noise=1.0)
    later = price_cents * np.where(account % 2, 2.0, 1.0)
    y, both = np.concatenate([x[:, 0], 3 * x[:, 0]]), np.concatenate([price_cents, later])
    slope = theilslopes(
        (np.log(x[:, 0]) + np.log(3 * x[:, 0])) / 2, (np.log(price_cents) + np.log(later)) / 2
    ).slope

    assert elasticity(y, both, np.concatenate([account, account])) == pytest.approx(slope, rel=1e-6)


def test_equal_prices_stay_equal_for_any_number_of_rows() -> None:
    x, price_cents, account = paying_accounts(60, growth=0.9, noise=1.0)
    rows = np.repeat(account, 1 + account % 6)

    repeated = elasticity(x[rows, 0], price_cents[rows], rows)

    assert repeated == pytest.approx(elasticity(x[:, 0], price_cents, account), rel=1e-6)


def test_the_order_of_rows_does_not_change_the_last_digit_of_a_point() -> None:
    x, price_cents, account = paying_accounts(300, growth=0.9)
    account //= 6
    order = np.random.default_rng(2).permutation(account.size)

    shuffled = log_points(x[order, 0], price_cents[order], account[order])

    assert_array_equal(shuffled, log_points(x[:, 0], price_cents, account))


@pytest.mark.parametrize(("growth", "expected"), [(-1.0, 0.25), (3.0, 2.0)])
def test_elasticity_is_clamped(growth: float, expected: float) -> None:
    x, price_cents, account = paying_accounts(100, growth=growth)

    assert elasticity(x[:, 0], price_cents, account) == expected


def test_elasticity_is_one_with_fewer_than_twenty_accounts_with_usage_and_price() -> None:
    x, price_cents, account = paying_accounts(22, growth=0.5)
    x[0], price_cents[1], x[2] = 0, np.nan, np.nan

    assert elasticity(x[:, 0], price_cents, account) == 1.0


def test_elasticity_is_one_with_fewer_than_three_prices() -> None:
    x, price_cents, account = paying_accounts(100, growth=0.5)
    two_prices = np.where(price_cents > PRICES[1], PRICES[1], PRICES[0])

    assert elasticity(x[:, 0], two_prices, account) == 1.0


def test_elasticity_of_many_accounts_needs_little_memory_and_stays_accurate() -> None:
    x, price_cents, account = paying_accounts(20_000, growth=0.9)
    tracemalloc.start()

    slope = elasticity(x[:, 0], price_cents, account)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert slope == pytest.approx(0.9, abs=0.05)
    assert peak < 20_000_000
