import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from app.churn.model.intervals import poisson_interval


@given(observed=st.integers(0, 60), expected=st.floats(0.5, 60))
@settings(max_examples=40)
def test_the_interval_is_the_exact_poisson_interval(observed: int, expected: float) -> None:
    low, high = (end * expected for end in poisson_interval(observed, expected, 0.95))

    assert poisson.cdf(observed, high) == pytest.approx(0.025, abs=1e-6)
    if observed:
        assert poisson.sf(observed - 1, low) == pytest.approx(0.025, abs=1e-6)
