from hypothesis import given
from hypothesis import strategies as st

from app.churn.scoring.revenue import RevenueAtRisk, revenue_at_risk


def test_a_probability_is_multiplied_with_a_year_of_revenue() -> None:
    assert revenue_at_risk(100_00, 0.25) == RevenueAtRisk(300_00, "probability")
    assert revenue_at_risk(100_00, 0.0) == RevenueAtRisk(0, "probability")


def test_without_one_all_of_it_is_named_as_what_may_be_lost() -> None:
    assert revenue_at_risk(100_00, None) == RevenueAtRisk(1200_00, "arr")


@given(st.integers(0, 10**12), st.none() | st.floats(0, 1))
def test_no_more_is_at_risk_than_is_paid(mrr_cents: int, probability: float | None) -> None:
    assert 0 <= revenue_at_risk(mrr_cents, probability).cents <= 12 * mrr_cents
