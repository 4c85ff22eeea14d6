"""What must hold of every card that somebody may write, whatever it looks at."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from app.health.scorecard import Card
from app.health.scoring import Column, Inputs, Scores, score
from tests.health.cards import WIDE, amounts, cards, measured
from tests.health.scoring import chosen_rows

checked = settings(max_examples=150)


def assert_same(one: Scores, other: Scores, chosen: object = slice(None)) -> None:
    """Equal to the last digit."""
    for name in Scores.__dataclass_fields__:
        assert_array_equal(getattr(one, name)[chosen], getattr(other, name))


@checked
@given(card=cards(), given=measured())
def test_scores_stay_within_0_and_100_and_follow_from_what_explains_them(
    card: Card, given: Inputs
) -> None:
    scores = score(card, WIDE, given)

    known = ~np.isnan(scores.score)
    assert ((scores.score[known] >= 0) & (scores.score[known] <= 100)).all()
    assert ((scores.coverage >= 0) & (scores.coverage <= 1)).all()
    assert (scores.coverage[known] >= card.min_coverage).all()
    assert_allclose(scores.effective_weights[known].sum(axis=1), 1)
    points = scores.effective_weights * np.nan_to_num(scores.measure_scores)
    assert_allclose(np.clip(points.sum(axis=1), 0, 100)[known], scores.score[known], atol=1e-6)


@checked
@given(card=cards(rising=True), given=measured(), more=amounts)
def test_more_of_anything_never_lowers_the_score_of_a_card_that_wants_more(
    card: Card, given: Inputs, more: float
) -> None:
    others = {
        key: Column(each.now + more, each.before, each.share) for key, each in given.others.items()
    }
    grown = replace(given, now=given.now + more, others=others)

    before, after = score(card, WIDE, given).score, score(card, WIDE, grown).score

    assert_array_equal(np.isnan(before), np.isnan(after))
    assert (np.nan_to_num(after) >= np.nan_to_num(before) - 1e-6).all()


@checked
@given(card=cards(), given=measured(priced=True), factor=st.floats(1, 100))
def test_a_higher_price_never_raises_the_score_of_any_card(
    card: Card, given: Inputs, factor: float
) -> None:
    dearer = replace(given, price_cents=given.price_cents * factor)

    before, after = score(card, WIDE, given).score, score(card, WIDE, dearer).score

    assert_array_equal(np.isnan(before), np.isnan(after))
    assert (np.nan_to_num(after) <= np.nan_to_num(before) + 1e-6).all()


@checked
@given(card=cards(), given=measured(), seed=st.integers(0, 100))
def test_neither_order_nor_company_changes_the_last_digit_under_any_card(
    card: Card, given: Inputs, seed: int
) -> None:
    scores = score(card, WIDE, given)
    order = np.random.default_rng(seed).permutation(len(given.now))

    assert_same(scores, score(card, WIDE, chosen_rows(given, order)), order)
    for row in range(len(given.now)):
        alone = slice(row, row + 1)
        assert_same(scores, score(card, WIDE, chosen_rows(given, alone)), alone)
