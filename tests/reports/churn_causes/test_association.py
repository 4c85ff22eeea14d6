"""Churn rates, computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.churn_causes.association import ExposureCounts, associate, tenures

COUNTS = st.integers(min_value=0, max_value=200)
DAYS = st.integers(min_value=1, max_value=100_000)


def test_the_lift_is_the_ratio_of_the_rates() -> None:
    """8 churned in 100 days against 4 in 300: 0.08 / 0.01333 = 6."""
    [found] = associate([ExposureCounts(100, 8, 300, 4)])

    assert found.lift == 6
    assert found.low is not None
    assert found.high is not None
    assert 1 < found.low < 6 < found.high


def test_the_interval_is_the_wilson_interval() -> None:
    """8 of 12: centre (8/12 + z2/24) / (1 + z2/12), by hand 0.391 to 0.862; as odds, times 3."""
    [found] = associate([ExposureCounts(100, 8, 300, 4)])

    assert found.low == pytest.approx(3 * 0.39062 / 0.60938, rel=1e-3)
    assert found.high == pytest.approx(3 * 0.86187 / 0.13813, rel=1e-3)


def test_p_values_are_corrected_for_all_comparisons() -> None:
    """Benjamini and Hochberg: p x m / rank, never more than the next."""
    counts = [
        ExposureCounts(100, 8, 300, 4),
        ExposureCounts(100, 3, 100, 3),
        ExposureCounts(100, 5, 300, 3),
    ]

    found = associate(counts)

    p = [each.p_value or 0 for each in found]
    assert [each.q_value for each in found] == pytest.approx([p[0] * 3, p[1], p[2] * 3 / 2])


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (ExposureCounts(0, 0, 0, 0), "no_paid_days"),
        (ExposureCounts(100, 2, 300, 2), "too_few_left"),
        (ExposureCounts(0, 0, 300, 9), "nothing_to_compare_with"),
        (ExposureCounts(100, 9, 0, 0), "nothing_to_compare_with"),
        (ExposureCounts(100, 9, 100, 0), "nobody_left_otherwise"),
    ],
)
def test_too_little_data_gives_a_reason_instead_of_a_lift(
    held: ExposureCounts, reason: str
) -> None:
    [found] = associate([held])

    assert (found.lift, found.reason) == (None, reason)


@given(DAYS, COUNTS, DAYS, COUNTS)
def test_swapping_the_sides_gives_the_reciprocal(
    days: int, left: int, other_days: int, other_left: int
) -> None:
    [first] = associate([ExposureCounts(days, left, other_days, other_left)])
    [swapped] = associate([ExposureCounts(other_days, other_left, days, left)])

    assert first.p_value == (None if swapped.p_value is None else pytest.approx(swapped.p_value))
    if first.lift and swapped.lift and min(first.lift, swapped.lift) > 0.1:
        assert first.lift * swapped.lift == pytest.approx(1, rel=0.01)


def test_churned_accounts_are_counted_by_tenure() -> None:
    assert tenures([0, 7, 8, 400]) == {
        "0-7": 2,
        "8-30": 1,
        "31-90": 0,
        "91-180": 0,
        "181-365": 0,
        "over 365": 1,
    }
