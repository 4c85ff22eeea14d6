from hypothesis import given
from hypothesis import strategies as st

from app.churn.revenue import RevenueAtRisk, revenue_at_risk


def test_a_probability_is_multiplied_with_a_year_of_revenue() -> None:
    assert revenue_at_risk(100_00, probability=0.25, level="high", band="at_risk") == (
        RevenueAtRisk(300_00, "probability")
    )


def test_without_one_a_level_says_all_or_nothing_and_is_named() -> None:
    assert revenue_at_risk(100_00, level="high") == RevenueAtRisk(1200_00, "level")
    assert revenue_at_risk(100_00, level="medium", band="at_risk") == RevenueAtRisk(0, "level")


def test_without_a_level_the_band_of_the_score_does() -> None:
    assert revenue_at_risk(100_00, band="at_risk") == RevenueAtRisk(1200_00, "band")
    assert revenue_at_risk(100_00, band="healthy") == RevenueAtRisk(0, "band")
    assert revenue_at_risk(100_00) == RevenueAtRisk(1200_00, "arr")


@given(st.integers(0, 10**12), st.floats(0, 1))
def test_no_more_is_at_risk_than_is_paid(mrr_cents: int, probability: float) -> None:
    assert 0 <= revenue_at_risk(mrr_cents, probability=probability).cents <= 12 * mrr_cents
