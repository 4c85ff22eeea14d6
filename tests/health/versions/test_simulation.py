from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from app.health.definition.scorecard import Band
from app.health.scoring.assess import Assessment, HealthStatus
from app.health.versions.simulation import MAX_MOVERS, compare_assessments, spearman


def assessment(account_id: str, score: float | None, band: Band, **fields: Any) -> Assessment:  # noqa: ANN401
    usual: dict[str, Any] = {
        "status": HealthStatus.OK,
        "coverage": 1.0,
        "mrr_cents": 0,
        "plan": None,
    }
    return Assessment(account_id, score, band, **(usual | fields), details={})


def test_bands_are_counted_and_the_largest_movers_come_first() -> None:
    before = [
        assessment("a", 10, Band.AT_RISK),
        assessment("b", 60, Band.HEALTHY),
        assessment("c", 30, Band.WATCH),
        assessment("d", None, Band.UNKNOWN),
    ]
    after = [
        assessment("a", 12, Band.AT_RISK),
        assessment("b", 40, Band.WATCH),
        assessment("c", 30, Band.WATCH),
        assessment("d", None, Band.UNKNOWN),
    ]

    found = compare_assessments(before, after)

    assert (found.accounts, found.scored_before, found.scored_after) == (4, 3, 3)
    assert found.bands[Band.HEALTHY][Band.WATCH] == 1
    assert found.bands[Band.UNKNOWN][Band.UNKNOWN] == 1
    assert [(mover.account_id, mover.points) for mover in found.movers] == [("b", -20), ("a", 2)]
    assert found.mean_change == pytest.approx(-6)


def test_an_account_that_gains_or_loses_a_score_is_a_mover() -> None:
    found = compare_assessments(
        [assessment("a", None, Band.UNKNOWN)], [assessment("a", 80, Band.HEALTHY)]
    )

    [mover] = found.movers
    assert (mover.before, mover.after, mover.points) == (None, 80, 0)
    assert (found.scored_before, found.scored_after, found.mean_change) == (0, 1, None)


def test_of_equal_movers_the_account_with_more_mrr_comes_first() -> None:
    before = [assessment(key, 10, Band.AT_RISK) for key in "abc"]
    after = [
        assessment(key, 20, Band.AT_RISK, mrr_cents=cents)
        for key, cents in zip("abc", (1, 5, 5), strict=True)
    ]

    assert [mover.account_id for mover in compare_assessments(before, after).movers] == [
        "b",
        "c",
        "a",
    ]


def test_at_most_a_hundred_movers_are_listed() -> None:
    before = [assessment(f"a{n}", 10, Band.AT_RISK) for n in range(MAX_MOVERS + 1)]
    after = [assessment(f"a{n}", 11, Band.AT_RISK) for n in range(MAX_MOVERS + 1)]

    found = compare_assessments(before, after)

    assert len(found.movers) == MAX_MOVERS
    assert found.bands[Band.AT_RISK][Band.AT_RISK] == MAX_MOVERS + 1


numbers = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30)


@settings(max_examples=100)
@given(pairs=numbers)
def test_the_rank_correlation_is_spearmans_with_ties(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    assume(np.ptp(x) > 0 and np.ptp(y) > 0)

    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic)


@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0]])
def test_constant_scores_have_no_correlation(x: list[float]) -> None:
    assert spearman(np.array(x), np.arange(len(x), dtype=np.float64)) is None
