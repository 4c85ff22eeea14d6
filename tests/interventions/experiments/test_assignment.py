from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interventions.experiments.assignment import (
    CONTROL,
    MISMATCH_P_VALUE,
    ArmShare,
    assign_arm,
    expected_shares,
    family_hash,
    sample_ratio_p_value,
)


def assigned_arm(salt: str, root: str, shares: list[ArmShare]) -> str:
    return assign_arm(family_hash(salt, root), shares)


HOLDOUT = [ArmShare("treated", 0.85)]
TWO_SMALL = [ArmShare("a", 0.1), ArmShare("b", 0.1)]


@pytest.mark.parametrize("shares", [HOLDOUT, TWO_SMALL])
def test_arms_fill_according_to_their_shares(shares: list[ArmShare]) -> None:
    counts = Counter(assigned_arm("salt", f"account {n}", shares) for n in range(20_000))

    for arm, share in expected_shares(shares).items():
        assert counts[arm] / 20_000 == pytest.approx(share, abs=0.01)
    assert sample_ratio_p_value(counts, shares) > MISMATCH_P_VALUE


@given(st.text(), st.text())
def test_an_arm_depends_on_nothing_but_salt_and_family(salt: str, family: str) -> None:
    assert assigned_arm(salt, family, HOLDOUT) == assigned_arm(salt, family, HOLDOUT)


def test_another_salt_assigns_independently() -> None:
    names = [f"account {n}" for n in range(4000)]
    controls = [
        {n for n in names if assigned_arm(s, n, HOLDOUT) == CONTROL} for s in ("one", "two")
    ]

    assert len(controls[0] & controls[1]) / len(controls[0]) == pytest.approx(0.15, abs=0.05)


def test_unlikely_arm_sizes_are_a_mismatch() -> None:
    assert sample_ratio_p_value({"treated": 850, CONTROL: 150}, HOLDOUT) > 0.9
    assert sample_ratio_p_value({"treated": 780, CONTROL: 220}, HOLDOUT) < MISMATCH_P_VALUE
    assert sample_ratio_p_value({}, HOLDOUT) == 1


@pytest.mark.parametrize("control", [0.05, 0.15, 0.5])
def test_one_family_is_never_a_mismatch(control: float) -> None:
    shares = [ArmShare("treated", 1 - control)]

    assert sample_ratio_p_value({CONTROL: 1}, shares) == pytest.approx(1)
    assert sample_ratio_p_value({"treated": 1}, shares) == pytest.approx(1)


def test_the_p_value_is_the_likelihood_ratio_against_the_prior() -> None:
    """Of 50 prior families 2.5 are in a control of 5 %; two families of the control make it 4.5."""
    shares = [ArmShare("treated", 0.95)]
    evidence = (2.5 / 50) * (3.5 / 51) / 0.05**2

    assert sample_ratio_p_value({CONTROL: 2}, shares) == pytest.approx(1 / evidence)


@pytest.mark.parametrize(
    ("shares", "control"),
    [
        ([ArmShare("treated", 0.95)], 0.05),
        ([ArmShare("treated", 0.85)], 0.15),
        ([ArmShare("treated", 0.5)], 0.5),
    ],
)
def test_fair_arms_read_after_each_family_are_a_mismatch_once_in_a_thousand_lives(
    shares: list[ArmShare], control: float
) -> None:
    """Each world is an experiment of 300 families; a mismatch at any time counts."""
    alarm = np.zeros((301, 301), dtype=bool)
    for total in range(1, 301):
        for held in range(total + 1):
            counts = {"treated": total - held, CONTROL: held}
            alarm[total, held] = sample_ratio_p_value(counts, shares) < MISMATCH_P_VALUE
    rng = np.random.default_rng(7)

    controls = (rng.random((20_000, 300)) < control).cumsum(axis=1)

    assert alarm[np.arange(1, 301), controls].any(axis=1).mean() <= MISMATCH_P_VALUE


@pytest.mark.parametrize(
    "counts", [{"treated": 0, CONTROL: 20}, {"treated": 160, CONTROL: 60}, {"treated": 5000}]
)
def test_broken_arms_are_a_mismatch(counts: dict[str, int]) -> None:
    assert sample_ratio_p_value(counts, HOLDOUT) < MISMATCH_P_VALUE


def test_an_arm_that_gets_no_family_is_a_mismatch() -> None:
    shares = [ArmShare("a", 0.3), ArmShare("b", 0.3)]

    assert sample_ratio_p_value({"a": 60, CONTROL: 80}, shares) < MISMATCH_P_VALUE
    assert sample_ratio_p_value({"a": 60, "b": 60, CONTROL: 80}, shares) == 1
