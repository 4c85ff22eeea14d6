"""Properties of the scores of random cards."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from app.health.definition.scorecard import Card
from app.health.scoring.maths import MeasureInputs, MetricColumn, Scores, compute_scores
from tests.health.builders import rows_of
from tests.health.strategies import WIDE, amounts, cards, random_inputs

checked = settings(max_examples=150)


def assert_same(one: Scores, other: Scores, chosen: object = slice(None)) -> None:
    """Assert that scores are equal to the last digit."""
    for name in Scores.__dataclass_fields__:
        assert_array_equal(getattr(one, name)[chosen], getattr(other, name))


@checked
@given(card=cards(), given=random_inputs())
def test_scores_stay_within_0_and_100_and_follow_from_their_details(
    card: Card, given: MeasureInputs
) -> None:
    scores = compute_scores(card, WIDE, given)

    known = ~np.isnan(scores.score)
    assert ((scores.score[known] >= 0) & (scores.score[known] <= 100)).all()
    assert ((scores.coverage >= 0) & (scores.coverage <= 1)).all()
    assert (scores.coverage[known] >= card.min_coverage).all()
    assert_allclose(scores.effective_weights[known].sum(axis=1), 1)
    points = scores.effective_weights * np.nan_to_num(scores.measure_scores)
    assert_allclose(np.clip(points.sum(axis=1), 0, 100)[known], scores.score[known], atol=1e-6)


@checked
@given(card=cards(rising=True), given=random_inputs(), more=amounts)
def test_higher_numbers_never_lower_the_score_of_a_rising_card(
    card: Card, given: MeasureInputs, more: float
) -> None:
    others = {
        key: MetricColumn(each.now + more, each.before, each.share)
        for key, each in given.others.items()
    }
    grown = replace(given, now=given.now + more, others=others)

    before, after = compute_scores(card, WIDE, given).score, compute_scores(card, WIDE, grown).score

    assert_array_equal(np.isnan(before), np.isnan(after))
    assert (np.nan_to_num(after) >= np.nan_to_num(before) - 1e-6).all()


@checked
@given(card=cards(), given=random_inputs(priced=True), factor=st.floats(1, 100))
def test_a_higher_price_never_raises_the_score_of_any_card(
    card: Card, given: MeasureInputs, factor: float
) -> None:
    dearer = replace(given, price_cents=given.price_cents * factor)

    before, after = (
        compute_scores(card, WIDE, given).score,
        compute_scores(card, WIDE, dearer).score,
    )

    assert_array_equal(np.isnan(before), np.isnan(after))
    assert (np.nan_to_num(after) <= np.nan_to_num(before) + 1e-6).all()


@checked
@given(card=cards(), given=random_inputs(), seed=st.integers(0, 100))
def test_order_and_other_accounts_do_not_change_the_last_digit_under_any_card(
    card: Card, given: MeasureInputs, seed: int
) -> None:
    scores = compute_scores(card, WIDE, given)
    order = np.random.default_rng(seed).permutation(len(given.now))

    assert_same(scores, compute_scores(card, WIDE, rows_of(given, order)), order)
    for row in range(len(given.now)):
        alone = slice(row, row + 1)
        assert_same(scores, compute_scores(card, WIDE, rows_of(given, alone)), alone)
