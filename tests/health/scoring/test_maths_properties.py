import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import spearmanr

from app.health.definition.benchmark import Benchmark
from app.health.scoring.maths import MeasureInputs, Scores, compute_scores
from tests.health.builders import CARD, FIXED, NAN, fit_peers, make_inputs, random_pool, rows_of

checked = settings(max_examples=100)


amounts = st.floats(0, 1e5) | st.sampled_from([0.0, 1.0, 2.0, 10.0])


shares = st.floats(0, 2) | st.just(NAN)


prices = st.floats(1, 1e7) | st.sampled_from([4_900.0, 19_900.0])


@st.composite
def accounts(draw: st.DrawFn, *, priced: bool = False) -> MeasureInputs:
    n = draw(st.integers(1, 8))
    three = st.tuples(amounts, amounts, amounts)
    paid = prices if priced else prices | st.just(NAN)
    return make_inputs(
        draw(st.lists(three, min_size=n, max_size=n)),
        previous=draw(st.lists(three, min_size=n, max_size=n)),
        shares=draw(st.lists(st.tuples(shares, shares, shares), min_size=n, max_size=n)),
        price_cents=draw(st.lists(paid, min_size=n, max_size=n)),
    )


def assert_same(one: Scores, other: Scores, chosen: Any = slice(None)) -> None:  # noqa: ANN401
    """Assert that scores are equal to the last digit."""
    for name in Scores.__dataclass_fields__:
        assert_array_equal(getattr(one, name)[chosen], getattr(other, name))


@checked
@given(given=accounts())
def test_scores_and_coverage_stay_within_their_range(given: MeasureInputs) -> None:
    scores = compute_scores(CARD, FIXED, given)

    assert ((scores.score >= 0) & (scores.score <= 100)).all()
    assert ((scores.measure_scores >= 0) & (scores.measure_scores <= 100)).all()
    assert_array_equal(scores.coverage, 1.0)


@checked
@given(given=accounts(), more=st.tuples(amounts, amounts, amounts))
def test_more_of_any_raw_value_never_lowers_the_score(
    given: MeasureInputs, more: tuple[float, float, float]
) -> None:
    grown = MeasureInputs(given.now + more, given.previous, given.shares, given.price_cents)

    before, after = compute_scores(CARD, FIXED, given), compute_scores(CARD, FIXED, grown)

    assert (after.score >= before.score - 1e-9).all()
    assert (after.measure_scores >= before.measure_scores - 1e-9).all()


@checked
@given(given=accounts(priced=True), factor=st.floats(1, 100))
def test_a_higher_price_never_raises_the_score(given: MeasureInputs, factor: float) -> None:
    dearer = MeasureInputs(given.now, given.previous, given.shares, given.price_cents * factor)

    assert (
        compute_scores(CARD, FIXED, dearer).score <= compute_scores(CARD, FIXED, given).score + 1e-9
    ).all()


@checked
@given(given=accounts(), seed=st.integers(0, 100))
def test_order_and_other_accounts_do_not_change_the_last_digit(
    given: MeasureInputs, seed: int
) -> None:
    scores = compute_scores(CARD, FIXED, given)
    order = np.random.default_rng(seed).permutation(len(given.now))

    assert_same(scores, compute_scores(CARD, FIXED, rows_of(given, order)), order)
    assert_same(scores, compute_scores(CARD, FIXED, rows_of(given, slice(0, 1))), slice(0, 1))
    assert_same(
        scores,
        compute_scores(CARD, FIXED, rows_of(given, slice(None, None, 2))),
        slice(None, None, 2),
    )


@checked
@given(given=accounts())
def test_the_same_inputs_and_stored_benchmark_give_the_same_digits(given: MeasureInputs) -> None:
    stored = Benchmark.from_json(json.loads(json.dumps(FIXED.to_json())))
    by_column = MeasureInputs(
        np.asfortranarray(given.now),
        np.asfortranarray(given.previous),
        np.asfortranarray(given.shares),
        given.price_cents,
    )

    assert_same(compute_scores(CARD, FIXED, given), compute_scores(CARD, stored, by_column))


def test_an_account_scores_the_same_alone_and_among_many() -> None:
    x, price_cents = random_pool(10_000, growth=0.9, seed=3)
    many = make_inputs(x, previous=x[::-1], price_cents=price_cents)

    assert_same(
        compute_scores(CARD, FIXED, many),
        compute_scores(CARD, FIXED, rows_of(many, slice(77, 78))),
        slice(77, 78),
    )


def test_no_accounts_give_no_scores() -> None:
    assert compute_scores(CARD, FIXED, make_inputs(np.empty((0, 3)))).score.shape == (0,)


@pytest.mark.parametrize("growth", [0.5, 0.9, 1.4])
def test_scores_do_not_follow_the_price(growth: float) -> None:
    x, price_cents = random_pool(400, growth=growth)

    scores = compute_scores(
        CARD, fit_peers(x, price_cents), make_inputs(x, price_cents=price_cents)
    )

    assert abs(spearmanr(scores.score, price_cents).statistic) <= 0.2


def test_the_plain_ratio_penalizes_higher_prices() -> None:
    x, price_cents = random_pool(400, growth=0.5)
    plain_ratio = fit_peers(x, price_cents, price_exponent=1.0)

    scores = compute_scores(CARD, plain_ratio, make_inputs(x, price_cents=price_cents))

    assert spearmanr(scores.score, price_cents).statistic < -0.5
