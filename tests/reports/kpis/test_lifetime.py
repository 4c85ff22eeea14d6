"""Expected paid months, computed by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.kpis.lifetime import Lifetimes, estimate_value, median_days, survival


def lifetimes_of(*accounts: tuple[float, bool, float]) -> Lifetimes:
    """Build lifetimes from months paid, whether the account churned, and dollars a month."""
    months, ended, dollars = zip(*accounts, strict=True)
    return Lifetimes(
        np.array(months, np.float64), np.array(ended, dtype=np.bool_), 100 * np.array(dollars)
    )


def test_an_active_account_counts_for_as_long_as_it_was_observed() -> None:
    """Of four, one churns after 1 month (3/4), one is observed for 2, one of two churns after 3."""
    found = lifetimes_of((1, True, 0), (2, False, 50), (3, True, 0), (9, False, 70))

    curve = survival(found, 5)

    assert curve.tolist() == pytest.approx([1, 0.75, 0.75, 0.375, 0.375])


def test_the_value_is_margin_times_price_times_paid_months() -> None:
    found = estimate_value(
        lifetimes_of((1, True, 0), (2, False, 50), (3, True, 0), (9, False, 70)),
        margin=0.8,
        months=5,
    )

    assert found.monthly_cents == 60_00
    assert found.cents == pytest.approx(0.8 * 60_00 * (1 + 0.75 + 0.75 + 0.375 + 0.375))
    assert (found.accounts, found.paying, found.ended) == (4, 2, 2)


def test_without_paying_accounts_there_is_no_value() -> None:
    assert estimate_value(lifetimes_of((3, True, 0)), margin=1, months=12).cents is None
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
def test_the_survival_curve_falls_from_one_and_bounds_the_value(
    accounts: list[tuple[float, bool, float]], months: int
) -> None:
    found = lifetimes_of(*accounts)
    curve = survival(found, months)

    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve) <= 1e-12).all()
    value = estimate_value(found, margin=1, months=months)
    if value.cents is not None and value.monthly_cents is not None:
        assert value.cents <= value.monthly_cents * months * (1 + 1e-9)


def test_the_median_includes_accounts_that_have_not_reached_the_event() -> None:
    days, reached = np.array([1.0, 2, 3, 10, 10]), np.array([True, True, True, False, False])

    assert median_days(days, reached) == 3
    assert median_days(days[2:], reached[2:]) is None, "half of them have not reached it"
    assert median_days(days[3:], reached[3:]) is None
