"""Expected paid months, by hand and beside scipy's own curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.kpis.lifetime import MONTH_DAYS, Lifetimes, estimate_value, median_days, survival


def lived(*accounts: tuple[float, bool, float]) -> Lifetimes:
    """Make accounts of months paid, whether they left, and dollars a month."""
    months, ended, dollars = zip(*accounts, strict=True)
    return Lifetimes(
        np.array(months) * MONTH_DAYS, np.array(ended, dtype=np.bool_), 100 * np.array(dollars)
    )


def test_who_has_not_left_yet_counts_as_long_as_it_was_seen() -> None:
    """Four start; one leaves after 1 month (3/4), one is seen for 2, one of two leaves after 3."""
    found = lived((1, True, 0), (2, False, 50), (3, True, 0), (9, False, 70))

    curve = survival(found, 5)

    assert curve.tolist() == pytest.approx([1, 0.75, 0.75, 0.375, 0.375])


def test_worth_is_margin_times_price_times_paid_months() -> None:
    found = estimate_value(
        lived((1, True, 0), (2, False, 50), (3, True, 0), (9, False, 70)), margin=0.8, months=5
    )

    assert found.monthly_cents == 60_00
    assert found.cents == pytest.approx(0.8 * 60_00 * (1 + 0.75 + 0.75 + 0.375 + 0.375))
    assert (found.accounts, found.paying, found.ended) == (4, 2, 2)


def test_if_nobody_pays_there_is_no_worth() -> None:
    assert estimate_value(lived((3, True, 0)), margin=1, months=12).cents is None
    assert (
        estimate_value(
            Lifetimes(*map(np.array, ([], np.array([], bool), []))), margin=1, months=1
        ).cents
        is None
    )


@given(
    st.lists(
        st.tuples(st.floats(0, 60), st.booleans(), st.floats(1, 1e6)), min_size=1, max_size=40
    ),
    st.integers(1, 48),
)
def test_the_curve_falls_from_one_and_worth_is_within_its_bounds(
    accounts: list[tuple[float, bool, float]], months: int
) -> None:
    found = lived(*accounts)
    curve = survival(found, months)

    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve) <= 1e-12).all()
    value = estimate_value(found, margin=1, months=months)
    if value.cents is not None and value.monthly_cents is not None:
        assert value.cents <= value.monthly_cents * months * (1 + 1e-9)


def test_the_median_counts_who_has_not_got_there() -> None:
    days, reached = np.array([1.0, 2, 3, 10, 10]), np.array([True, True, True, False, False])

    assert median_days(days, reached) == 3
    assert median_days(days[2:], reached[2:]) is None, "half of them are not there yet"
    assert median_days(days[3:], reached[3:]) is None
