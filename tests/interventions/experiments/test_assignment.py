from collections import Counter

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


def test_fair_assignments_are_hardly_ever_a_mismatch() -> None:
    alarms = sum(
        sample_ratio_p_value(
            Counter(assigned_arm(f"s{n}", f"a{k}", HOLDOUT) for k in range(200)), HOLDOUT
        )
        < MISMATCH_P_VALUE
        for n in range(300)
    )

    assert alarms <= 3
