"""How measures share the weight of their group, and what becomes of the weight of the missing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from app.health.measures import EventsSource, Linear
from app.health.scorecard import Card
from app.health.scoring import Scores, score
from tests.health.scoring import NAN, chosen_rows, inputs, measure, simple

LINE = Linear(at_0=0, at_100=100)


def card(**groups: float) -> Card:
    """Two measures of 3 to 1 in ``use``, one in ``people``."""
    told = (("a", "use", 3.0), ("b", "use", 1.0), ("c", "people", 5.0))
    measures = [
        measure(name, LINE, source=EventsSource(events=[name]), weight=weight, group=group)
        for name, group, weight in told
    ]
    return Card(measures=measures, groups=groups, min_coverage=0)


def judged(card: Card, a: float, b: float, c: float) -> Scores:
    keys = (f"{name} in 28 days" for name in "abc")
    others = {key: [value] for key, value in zip(keys, (a, b, c), strict=True)}
    return score(card, simple(), inputs([[0, 0, 0]], others=others))


def test_measures_share_the_weight_of_their_group() -> None:
    found = judged(card(use=25, people=75), 80, 40, 20)

    assert_allclose(found.effective_weights, [[0.25 * 3 / 4, 0.25 / 4, 0.75]])
    assert_allclose(found.score, 0.25 * (3 * 80 + 40) / 4 + 0.75 * 20)


def test_without_weights_of_groups_each_measure_weighs_for_itself() -> None:
    found = judged(card(), 80, 40, 20)

    assert_allclose(found.effective_weights, [[3 / 9, 1 / 9, 5 / 9]])


def test_the_weight_of_a_missing_measure_stays_in_its_group() -> None:
    found = judged(card(use=25, people=75), NAN, 40, 20)

    assert_allclose(found.effective_weights, [[0, 0.25, 0.75]])
    assert_allclose(found.score, 0.25 * 40 + 0.75 * 20)
    assert_allclose(found.coverage, 1 - 0.25 * 3 / 4)


def test_the_weight_of_a_missing_group_goes_to_the_others() -> None:
    found = judged(card(use=25, people=75), NAN, NAN, 20)

    assert_allclose(found.effective_weights, [[0, 0, 1]])
    assert_allclose((found.score[0], found.coverage[0]), (20, 0.75))


@pytest.mark.parametrize("groups", [{}, {"use": 1, "people": 1}])
def test_without_anything_there_is_no_score(groups: dict[str, float]) -> None:
    found = judged(card(**groups), NAN, NAN, NAN)

    assert_allclose((found.score[0], found.coverage[0]), (NAN, 0))
    assert_allclose(found.effective_weights, 0)


def test_a_group_that_weighs_nothing_decides_nothing_and_is_not_missed() -> None:
    found = judged(card(use=0, people=2), NAN, NAN, 20)

    assert_allclose((found.score[0], found.coverage[0]), (20, 1))


def test_the_company_of_others_does_not_change_a_digit_of_a_large_group() -> None:
    random = np.random.default_rng(1)
    names = [f"e{number}" for number in range(20)]
    measures = [
        measure(
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
    given = inputs(np.zeros((50, 3)), others=others)

    together = score(large, simple(), given)

    for row in range(50):
        alone = score(large, simple(), chosen_rows(given, slice(row, row + 1)))
        assert_array_equal(alone.effective_weights[0], together.effective_weights[row])
        assert_array_equal(alone.score, together.score[row])
