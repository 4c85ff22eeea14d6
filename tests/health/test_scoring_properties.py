import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import spearmanr

from app.health.benchmark import (
    Benchmark,
)
from app.health.scoring import Inputs, Scores, score
from tests.health.scoring import CARD, FIXED, NAN, chosen_rows, inputs, peers, pool

checked = settings(max_examples=100)


amounts = st.floats(0, 1e5) | st.sampled_from([0.0, 1.0, 2.0, 10.0])


shares = st.floats(0, 2) | st.just(NAN)


prices = st.floats(1, 1e7) | st.sampled_from([4_900.0, 19_900.0])


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

    assert_same(scores, score(CARD, FIXED, chosen_rows(given, order)), order)
    assert_same(scores, score(CARD, FIXED, chosen_rows(given, slice(0, 1))), slice(0, 1))
    assert_same(
        scores, score(CARD, FIXED, chosen_rows(given, slice(None, None, 2))), slice(None, None, 2)
    )


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
        score(CARD, FIXED, many),
        score(CARD, FIXED, chosen_rows(many, slice(77, 78))),
        slice(77, 78),
    )


def test_no_accounts_are_no_scores() -> None:
    assert score(CARD, FIXED, inputs(np.empty((0, 3)))).score.shape == (0,)


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
