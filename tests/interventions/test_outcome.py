from datetime import date

import pytest

from app.health.scoring.assess import HealthStatus
from app.interventions.outcome import AccountSnapshot, describe_outcome, succeeded
from app.interventions.playbooks.definition import SuccessCriterion

BEFORE = AccountSnapshot(date(2026, 1, 1), HealthStatus.OK, 40.0, {"breadth": 20.0, "depth": 50.0})
AFTER = AccountSnapshot(date(2026, 1, 31), HealthStatus.OK, 47.5, {"breadth": 26.0, "reach": 10.0})
GONE = AccountSnapshot(date(2026, 1, 31), HealthStatus.CHURNED, None, {})
BREADTH = SuccessCriterion(measure="breadth", least=5)


def test_an_outcome_says_what_changed_by_measure() -> None:
    assert describe_outcome(BREADTH, BEFORE, AFTER, signal_is_open=True) == {
        "on": "2026-01-31",
        "retained": True,
        "health_score_change": 7.5,
        "measure_changes": {"breadth": 6.0, "depth": None, "reach": None},
        "success_measure": "breadth",
        "succeeded": True,
    }


@pytest.mark.parametrize(
    ("measure", "is_open", "expected"),
    [
        ("breadth", True, True),
        ("depth", True, None),
        ("health_score", True, True),
        ("signal_cleared", True, False),
        ("signal_cleared", False, True),
        ("retained", True, True),
    ],
)
def test_the_playbooks_own_measure_decides(
    measure: str, *, is_open: bool, expected: bool | None
) -> None:
    success = SuccessCriterion(measure=measure, least=5)

    assert succeeded(success, BEFORE, AFTER, signal_is_open=is_open) is expected


def test_a_rise_that_is_too_small_is_none() -> None:
    assert succeeded(
        SuccessCriterion(measure="breadth", least=7), BEFORE, AFTER, signal_is_open=False
    ) is (False)


@pytest.mark.parametrize("measure", ["breadth", "signal_cleared", "retained"])
def test_who_has_left_was_not_helped(measure: str) -> None:
    assert succeeded(SuccessCriterion(measure=measure), BEFORE, GONE, signal_is_open=False) is False


def test_of_an_account_that_nobody_knows_of_nothing_is_said() -> None:
    found = describe_outcome(BREADTH, BEFORE, None, signal_is_open=False)

    assert (found["retained"], found["succeeded"], found["on"]) == (None, None, None)
