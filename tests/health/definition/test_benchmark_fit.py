import json

import numpy as np
import pytest

from app.core.arrays import Floats, Integers
from app.health.definition.benchmark import (
    MEASURES,
    Benchmark,
    Knots,
    Measure,
    MeasureBenchmark,
    Normalizer,
    build_knots,
    elasticity,
    fit_benchmark,
)
from tests.health.builders import paying_accounts


def fitted(
    x: Floats,
    price_cents: Floats,
    account: Integers,
    *,
    normalizer: Normalizer = Normalizer.SEGMENT,
    price_exponent: float | None = None,
) -> Benchmark:
    return fit_benchmark(
        x,
        price_cents,
        account,
        segment="smb",
        normalizer=normalizer,
        price_exponent=price_exponent,
        product_features=("reports", "api"),
    )


def test_fit_counts_accounts_not_month_ends() -> None:
    x, price_cents, account = paying_accounts(30, growth=0.9)
    price_cents[:5] = np.nan
    six = np.tile(account, 6)

    benchmark = fitted(x[six], price_cents[six], six)

    assert (benchmark.accounts, benchmark.priced_accounts) == (30, 25)
    assert (benchmark.normalizer, benchmark.segment) == (Normalizer.SEGMENT, "smb")
    assert benchmark.product_features == ("reports", "api")


def test_fit_ranks_usage_adjusted_for_price() -> None:
    x, price_cents, account = paying_accounts(60, growth=0.9)

    breadth = fitted(x, price_cents, account).measures[Measure.BREADTH]

    assert breadth.elasticity == elasticity(x[:, 0], price_cents, account)
    assert breadth.priced == build_knots(x[:, 0] / (price_cents / 10_000) ** breadth.elasticity)
    assert breadth.plain == build_knots(x[:, 0])
    assert breadth.median == np.median(x[:, 0])
    assert breadth.median_per_dollar == np.median(x[:, 0] / (price_cents / 10_000))


def test_unpriced_rows_rank_among_the_plain_values_only() -> None:
    x, price_cents, account = paying_accounts(60, growth=0.9)
    price_cents[:10] = np.nan

    depth = fitted(x, price_cents, account).measures[Measure.DEPTH]

    assert (len(depth.priced.values), len(depth.plain.values)) == (50, 60)


def test_a_price_exponent_replaces_the_elasticity() -> None:
    x, price_cents, account = paying_accounts(60, growth=0.5)

    benchmark = fitted(x, price_cents, account, price_exponent=1.0)

    assert [measure.elasticity for measure in benchmark.measures.values()] == [1.0, 1.0, 1.0]
    assert benchmark.measures[Measure.REACH].priced == build_knots(x[:, 2] / (price_cents / 10_000))


def test_a_measure_without_usage_is_not_in_the_benchmark() -> None:
    x, price_cents, account = paying_accounts(60, growth=0.9)
    x[:, 1], x[:, 2] = 0, np.nan

    assert list(fitted(x, price_cents, account).measures) == [Measure.BREADTH]


def test_fewer_than_twenty_priced_accounts_are_ranked_without_price() -> None:
    x, price_cents, account = paying_accounts(60, growth=0.9)
    price_cents[19:] = np.nan

    benchmark = fitted(x, price_cents, account, price_exponent=1.0)

    assert benchmark.priced_accounts == 19
    assert benchmark.measures[Measure.BREADTH] == MeasureBenchmark(
        0.0, Knots(), build_knots(x[:, 0]), float(np.median(x[:, 0])), None
    )


def test_fewer_than_twenty_accounts_are_not_ranked() -> None:
    x, price_cents, account = paying_accounts(19, growth=0.9)

    benchmark = fitted(np.tile(x, (6, 1)), np.tile(price_cents, 6), np.tile(account, 6))

    assert benchmark.normalizer is Normalizer.SHARE
    assert list(benchmark.measures) == list(MEASURES)
    assert {measure.plain for measure in benchmark.measures.values()} == {Knots()}


def test_twenty_accounts_are_ranked_with_their_price() -> None:
    benchmark = fitted(*paying_accounts(20, growth=0.9))

    assert benchmark.normalizer is Normalizer.SEGMENT
    assert len(benchmark.measures[Measure.BREADTH].priced.values) == 20


def test_shares_can_be_requested() -> None:
    benchmark = fitted(*paying_accounts(60, growth=0.9), normalizer=Normalizer.SHARE)

    assert benchmark.normalizer is Normalizer.SHARE
    assert {measure.priced for measure in benchmark.measures.values()} == {Knots()}


def test_an_empty_pool_gives_a_benchmark_without_measures() -> None:
    benchmark = fitted(np.empty((0, 3)), np.empty(0), np.empty(0, dtype=np.int64))

    assert (benchmark.accounts, benchmark.priced_accounts) == (0, 0)
    assert (benchmark.normalizer, benchmark.measures) == (Normalizer.SHARE, {})


@pytest.mark.parametrize("accounts", [19, 60])
def test_a_benchmark_survives_json_to_the_last_digit(accounts: int) -> None:
    benchmark = fitted(*paying_accounts(accounts, growth=0.9))

    assert Benchmark.from_json(json.loads(json.dumps(benchmark.to_json()))) == benchmark


def test_the_order_of_the_pool_does_not_change_the_benchmark() -> None:
    x, price_cents, account = paying_accounts(120, growth=0.9)
    order = np.random.default_rng(2).permutation(account.size)

    shuffled = fitted(x[order], price_cents[order], account[order] // 2)

    assert shuffled == fitted(x, price_cents, account // 2)
