import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.churn.scoring.revenue import (
    RevenueAtRisk,
    assumed_loss,
    largest_mrr_at_risk,
    revenue_at_risk,
)

LEVELS = st.sampled_from((None, "low", "medium", "high"))
BANDS = st.sampled_from((None, "unknown", "healthy", "watch", "at_risk"))


def test_a_probability_is_multiplied_by_one_year_of_revenue() -> None:
    assert revenue_at_risk(100_00, 0.25, level="low") == RevenueAtRisk(300_00, "probability")
    assert revenue_at_risk(100_00, 0.0, level="high") == RevenueAtRisk(0, "probability")


@pytest.mark.parametrize(
    ("band", "level", "cents", "basis"),
    [
        ("at_risk", None, 360_00, "assumed"),  # 12 x 100 x 0.30
        ("at_risk", "low", 360_00, "assumed"),
        ("healthy", "high", 360_00, "assumed"),
        (None, "high", 360_00, "assumed"),
        ("healthy", "medium", 0, "none"),
        ("watch", "low", 0, "none"),
        ("unknown", None, 0, "none"),
        (None, None, 0, "none"),
    ],
)
def test_without_a_probability_only_accounts_at_risk_put_revenue_at_risk(
    band: str | None, level: str | None, cents: int, basis: str
) -> None:
    found = revenue_at_risk(100_00, None, level=level, band=band)

    assert (found.cents, found.basis) == (cents, basis)


@given(st.integers(0, 10**12), st.none() | st.floats(0, 1), LEVELS, BANDS)
def test_revenue_at_risk_never_exceeds_the_arr(
    mrr_cents: int, probability: float | None, level: str | None, band: str | None
) -> None:
    found = revenue_at_risk(mrr_cents, probability, level=level, band=band)

    assert found.cents is not None
    assert 0 <= found.cents <= 12 * mrr_cents


@given(st.integers(0, 10**12))
def test_the_largest_mrr_of_an_amount_is_the_inverse_of_the_amount(cents: int) -> None:
    mrr_cents = largest_mrr_at_risk(cents)
    amounts = [int(assumed_loss(mrr)) for mrr in (mrr_cents, mrr_cents + 1)]

    assert amounts[0] <= cents < amounts[1]
