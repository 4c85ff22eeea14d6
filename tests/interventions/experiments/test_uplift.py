import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interventions.experiments.sequential import ArmSample
from app.interventions.experiments.uplift import estimate_uplift

NONE = ArmSample(0, 0)


@given(st.floats(0, 1))
def test_without_data_the_uplift_is_what_is_supposed(supposed: float) -> None:
    found = estimate_uplift(supposed, NONE, NONE)

    assert found.share == pytest.approx(supposed)
    assert (found.evidence, found.units) == ("prior", 0)


@given(st.integers(0, 200), st.integers(1, 200), st.floats(0, 1))
def test_of_arms_of_one_size_it_lies_between_supposed_and_measured(
    left: int, control_left: int, supposed: float
) -> None:
    measured = 1 - left / control_left

    found = estimate_uplift(
        supposed, ArmSample(200, 200 - left), ArmSample(200, 200 - control_left)
    )

    low, high = min(measured, supposed), max(measured, supposed)
    assert max(low, -1) - 1e-9 <= found.share <= high + 1e-9
    assert (found.evidence, found.units) == ("measured", 400)


@given(st.integers(0, 99), st.floats(0, 1))
def test_one_who_stays_more_never_lowers_it(stayed: int, supposed: float) -> None:
    control = ArmSample(100, 70)

    less, more = (
        estimate_uplift(supposed, ArmSample(100, n), control).share for n in (stayed, stayed + 1)
    )

    assert more >= less - 1e-9


def test_much_data_outweighs_what_was_supposed() -> None:
    few = estimate_uplift(0.5, ArmSample(10, 8), ArmSample(10, 8)).share
    many = estimate_uplift(0.5, ArmSample(10_000, 8000), ArmSample(10_000, 8000)).share

    assert few > 0.4
    assert many == pytest.approx(0, abs=0.01)


def test_what_does_harm_is_said_to() -> None:
    assert estimate_uplift(0.1, ArmSample(1000, 700), ArmSample(1000, 900)).share < -0.5
