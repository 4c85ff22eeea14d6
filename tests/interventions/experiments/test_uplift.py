import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interventions.experiments.sequential import ArmSample
from app.interventions.experiments.uplift import estimate_uplift

NO_DATA = ArmSample(0, 0)


@given(st.floats(0, 1))
def test_without_data_the_uplift_is_the_assumed_one(assumed: float) -> None:
    uplift = estimate_uplift(assumed, NO_DATA, NO_DATA)

    assert uplift.share == pytest.approx(assumed)
    assert (uplift.evidence, uplift.units) == ("prior", 0)


@given(st.integers(0, 200), st.integers(1, 200), st.floats(0, 1))
def test_with_arms_of_equal_size_the_uplift_lies_between_assumed_and_measured(
    churned: int, control_churned: int, assumed: float
) -> None:
    measured = 1 - churned / control_churned

    uplift = estimate_uplift(
        assumed, ArmSample(200, 200 - churned), ArmSample(200, 200 - control_churned)
    )

    low, high = min(measured, assumed), max(measured, assumed)
    assert max(low, -1) - 1e-9 <= uplift.share <= high + 1e-9
    assert (uplift.evidence, uplift.units) == ("measured", 400)


@given(st.integers(0, 99), st.floats(0, 1))
def test_one_more_retained_unit_never_lowers_the_uplift(retained: int, assumed: float) -> None:
    control = ArmSample(100, 70)

    less, more = (
        estimate_uplift(assumed, ArmSample(100, n), control).share for n in (retained, retained + 1)
    )

    assert more >= less - 1e-9


def test_much_data_outweighs_the_assumption() -> None:
    few = estimate_uplift(0.5, ArmSample(10, 8), ArmSample(10, 8)).share
    many = estimate_uplift(0.5, ArmSample(10_000, 8000), ArmSample(10_000, 8000)).share

    assert few > 0.4
    assert many == pytest.approx(0, abs=0.01)


def test_a_harmful_playbook_has_a_negative_uplift() -> None:
    assert estimate_uplift(0.1, ArmSample(1000, 700), ArmSample(1000, 900)).share < -0.5
