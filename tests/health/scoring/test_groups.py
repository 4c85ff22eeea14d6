"""How measures share the weight of their group, and where the weight of missing ones goes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from app.health.definition.measures import EventsSource, LinearTransform
from app.health.definition.scorecard import Card
from app.health.scoring.maths import Scores, compute_scores
from tests.health.builders import NAN, make_inputs, make_measure, rows_of, simple_benchmark

LINE = LinearTransform(at_0=0, at_100=100)


def card(**groups: float) -> Card:
    """Build a card with two measures of weights 3 and 1 in ``use`` and one in ``people``."""
    weighted = (("a", "use", 3.0), ("b", "use", 1.0), ("c", "people", 5.0))
    measures = [
        make_measure(name, LINE, source=EventsSource(events=[name]), weight=weight, group=group)
        for name, group, weight in weighted
    ]
    return Card(measures=measures, groups=groups, min_coverage=0)


def compute(card: Card, a: float, b: float, c: float) -> Scores:
    keys = (f"{name} in 28 days" for name in "abc")
    others = {key: [value] for key, value in zip(keys, (a, b, c), strict=True)}
    return compute_scores(card, simple_benchmark(), make_inputs([[0, 0, 0]], others=others))


def test_measures_share_the_weight_of_their_group() -> None:
    found = compute(card(use=25, people=75), 80, 40, 20)

    assert_allclose(found.effective_weights, [[0.25 * 3 / 4, 0.25 / 4, 0.75]])
    assert_allclose(found.score, 0.25 * (3 * 80 + 40) / 4 + 0.75 * 20)


def test_without_group_weights_each_measure_has_its_own_weight() -> None:
    found = compute(card(), 80, 40, 20)

    assert_allclose(found.effective_weights, [[3 / 9, 1 / 9, 5 / 9]])


def test_the_weight_of_a_missing_measure_stays_in_its_group() -> None:
    found = compute(card(use=25, people=75), NAN, 40, 20)

    assert_allclose(found.effective_weights, [[0, 0.25, 0.75]])
    assert_allclose(found.score, 0.25 * 40 + 0.75 * 20)
    assert_allclose(found.coverage, 1 - 0.25 * 3 / 4)


def test_the_weight_of_a_missing_group_goes_to_the_others() -> None:
    found = compute(card(use=25, people=75), NAN, NAN, 20)

    assert_allclose(found.effective_weights, [[0, 0, 1]])
    assert_allclose((found.score[0], found.coverage[0]), (20, 0.75))


@pytest.mark.parametrize("groups", [{}, {"use": 1, "people": 1}])
def test_without_known_measures_there_is_no_score(groups: dict[str, float]) -> None:
    found = compute(card(**groups), NAN, NAN, NAN)

    assert_allclose((found.score[0], found.coverage[0]), (NAN, 0))
    assert_allclose(found.effective_weights, 0)


def test_a_group_of_weight_zero_has_no_effect() -> None:
    found = compute(card(use=0, people=2), NAN, NAN, 20)

    assert_allclose((found.score[0], found.coverage[0]), (20, 1))


def test_other_accounts_do_not_change_a_digit_of_a_large_group() -> None:
    random = np.random.default_rng(1)
    names = [f"e{number}" for number in range(20)]
    measures = [
        make_measure(
            name,
            LINE,
            source=EventsSource(events=[name]),
            weight=float(random.random()),
            group="use" if name != "e0" else "people",
        )
        for name in names
    ]
    large = Card(measures=measures, groups={"use": 1.3, "people": 0.7}, min_coverage=0)
    others = {
        f"{name} in 28 days": np.where(random.random(50) < 0.3, NAN, 100 * random.random(50))
        for name in names
    }
    given = make_inputs(np.zeros((50, 3)), others=others)

    together = compute_scores(large, simple_benchmark(), given)

    for row in range(50):
        alone = compute_scores(large, simple_benchmark(), rows_of(given, slice(row, row + 1)))
        assert_array_equal(alone.effective_weights[0], together.effective_weights[row])
        assert_array_equal(alone.score, together.score[row])
