from hypothesis import given
from hypothesis import strategies as st

from app.churn.scoring.revenue import RevenueAtRisk, revenue_at_risk


def test_a_probability_is_multiplied_by_one_year_of_revenue() -> None:
    assert revenue_at_risk(100_00, 0.25) == RevenueAtRisk(300_00, "probability")
    assert revenue_at_risk(100_00, 0.0) == RevenueAtRisk(0, "probability")


def test_without_a_probability_all_of_the_arr_is_at_risk() -> None:
    assert revenue_at_risk(100_00, None) == RevenueAtRisk(1200_00, "arr")


@given(st.integers(0, 10**12), st.none() | st.floats(0, 1))
def test_revenue_at_risk_never_exceeds_the_arr(mrr_cents: int, probability: float | None) -> None:
    assert 0 <= revenue_at_risk(mrr_cents, probability).cents <= 12 * mrr_cents
