"""What makes 0-100 of a number, one card of one measure at a time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from app.health.benchmark import Knots, Measure, MeasureBenchmark, Normalizer
from app.health.measures import EventsSource, Linear, Percentile, Step, Thresholds, Transform
from app.health.scorecard import Card
from app.health.scoring import linear, score, thresholds
from tests.health.scoring import NAN, inputs, measure, simple

TICKETS = EventsSource(events=["Filed"], days=90)


def scored(
    transform: Transform,
    values: list[float],
    *,
    normalizer: Normalizer = Normalizer.WORKSPACE,
    price_cents: float = 100_000,
    **said: object,
) -> list[float]:
    """Score numbers of tickets; the median of all is 10, and 10 for $100 is one for its price."""
    only = measure("tickets", transform, source=TICKETS, **said)
    base = simple(normalizer=normalizer)
    plain, priced = Knots((10.0, 20.0), (50.0, 90.0)), Knots((1.0, 2.0), (40.0, 80.0))
    fitted = MeasureBenchmark(1.0, priced, plain, 10, 1)
    base.measures[TICKETS.key] = fitted  # type: ignore[index]
    given = inputs([[0, 0, 0]] * len(values), price_cents=price_cents, others={TICKETS.key: values})
    found: list[float] = score(Card(measures=[only]), base, given).measure_scores[:, 0].tolist()
    return found


def test_a_rank_takes_no_price_into_account_unless_it_is_asked_to() -> None:
    assert scored(Percentile(), [0, 10, 20]) == [0, 50, 90]
    assert scored(Percentile(price_adjusted=True), [0, 10, 20]) == [0, 40, 80]


def test_usage_is_ranked_for_its_price_unless_it_is_asked_not_to() -> None:
    plain = Card(measures=[measure("breadth", Percentile(price_adjusted=False))])
    given = inputs([[100, 0, 0]], price_cents=200_000)

    scores = score(plain, simple(), given)
    priced = score(Card(measures=[measure("breadth")]), simple(), given)

    assert (scores.measure_scores[0, 0], priced.measure_scores[0, 0]) == (50, 25)
    assert (scores.adjusted[0, 0], priced.adjusted[0, 0]) == (100, 5)
    assert_allclose([scores.per_dollar[0, 0], priced.per_dollar[0, 0]], [NAN, 5])


def test_an_unpriced_account_is_ranked_among_all_for_want_of_a_price() -> None:
    for_price = Percentile(price_adjusted=True)

    assert scored(for_price, [10.0], price_cents=NAN) == [50]


def test_where_less_is_better_the_rank_is_turned_round() -> None:
    turned = scored(Percentile(), [0, 10, 20, NAN], direction="lower_is_better")

    assert_allclose(turned, [100, 50, 10, NAN])


def test_where_less_is_better_the_share_is_turned_round_too() -> None:
    alone = simple(Measure.DEPTH, normalizer=Normalizer.SHARE)
    card = Card(measures=[measure("depth", direction="lower_is_better")])
    given = inputs([[0, 9, 0]] * 3, shares=[[NAN] * 3, [0.3] * 3, [1.5] * 3])

    assert_allclose(score(card, alone, given).measure_scores[:, 0], [NAN, 70, 0])


def test_without_peers_a_rank_of_what_is_no_share_of_anything_is_missing() -> None:
    assert np.isnan(scored(Percentile(), [10.0], normalizer=Normalizer.SHARE)).all()


def test_what_no_peer_has_cannot_be_ranked() -> None:
    unknown = Card(measures=[measure("csat", source=EventsSource(events=["Rated"]))])
    given = inputs([[1, 1, 1]], others={"Rated in 28 days": [3.0]})

    assert np.isnan(score(unknown, simple(), given).measure_scores).all()


STEPS = Thresholds(
    below=5, steps=[Step(at_least=1, score=20), Step(at_least=3, score=10), Step(above=5, score=90)]
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-1, 5), (0.999, 5), (1, 20), (2.99, 20), (3, 10), (5, 10), (5.000001, 90), (1e15, 90)],
)
def test_the_highest_step_that_is_reached_says_the_score(value: float, expected: float) -> None:
    assert scored(STEPS, [value]) == [expected]


def test_what_is_unknown_reaches_no_step_and_is_not_below_them_all_either() -> None:
    assert_allclose(thresholds(STEPS, np.array([NAN, 0.0])), [NAN, 5])


def test_steps_and_lines_need_no_peers() -> None:
    line = Linear(at_0=0, at_100=40)

    assert scored(STEPS, [3.0], normalizer=Normalizer.SHARE) == [10]
    assert scored(line, [10.0], normalizer=Normalizer.SHARE) == [25]


def test_a_line_rises_or_falls_and_is_held_within_0_and_100() -> None:
    values = np.array([-10.0, 0.0, 30.0, 60.0, 90.0, NAN])

    assert_allclose(linear(Linear(at_0=0, at_100=60), values), [0, 0, 50, 100, 100, NAN])
    assert_allclose(linear(Linear(at_0=60, at_100=0), values), [100, 100, 50, 0, 0, NAN])


def test_a_line_that_is_not_bounded_leads_beyond_and_the_score_stays_within() -> None:
    beyond = Linear(kind="linear", at_0=0, at_100=10)

    assert scored(beyond, [-5.0, 5.0, 20.0]) == [-50, 50, 200]
    scores = score(
        Card(measures=[measure("tickets", beyond, source=TICKETS)]),
        simple(),
        inputs([[0, 0, 0]] * 2, others={TICKETS.key: [-5.0, 20.0]}),
    )
    assert scores.score.tolist() == [0, 100]


def test_a_line_that_is_not_bounded_can_make_up_for_another_measure() -> None:
    beyond = Linear(kind="linear", at_0=0, at_100=10)
    none = Thresholds(steps=[Step(at_least=1e9, score=100)])
    card = Card(
        measures=[
            measure("tickets", beyond, source=TICKETS),
            measure("more", none, source=TICKETS, weight=3),
        ]
    )

    given = inputs([[0, 0, 0]], others={TICKETS.key: [20.0]})

    assert score(card, simple(), given).score[0] == 50


def test_a_steep_line_ends_where_sums_are_still_exact() -> None:
    steep = Linear(kind="linear", at_0=0, at_100=5e-324)

    assert linear(steep, np.array([-1e15, 0.0, 1e15])).tolist() == [-1e6, 0, 1e6]


@pytest.mark.parametrize("transform", [Percentile(), STEPS, Linear(at_0=0, at_100=1)])
def test_what_is_missing_is_left_out_or_scores_what_was_said(transform: Transform) -> None:
    assert np.isnan(scored(transform, [NAN])).all()
    assert scored(transform, [NAN], missing=35) == [35]
    assert scored(transform, [NAN], missing=0) == [0]


def test_what_was_said_of_the_missing_counts_as_present() -> None:
    card = Card(
        measures=[
            measure("csat", source=TICKETS, missing=20),
            measure("events", Linear(at_0=0, at_100=10)),
        ]
    )
    given = inputs([[0, 0, 0]], others={TICKETS.key: [NAN], "events": [8.0]})

    scores = score(card, simple(), given)

    assert (scores.score[0], scores.coverage[0]) == (50, 1)
    assert np.isnan(scores.raw[0, 0])
