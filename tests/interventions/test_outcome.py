from datetime import date

import pytest

from app.health.scoring.assess import HealthStatus
from app.interventions.outcome import AccountSnapshot, describe_outcome, succeeded
from app.interventions.playbooks.definition import SuccessCriterion

BEFORE = AccountSnapshot(date(2026, 1, 1), HealthStatus.OK, 40.0, {"breadth": 20.0, "depth": 50.0})
AFTER = AccountSnapshot(date(2026, 1, 31), HealthStatus.OK, 47.5, {"breadth": 26.0, "reach": 10.0})
GONE = AccountSnapshot(date(2026, 1, 31), HealthStatus.CHURNED, None, {})
BREADTH = SuccessCriterion(measure="breadth", least=5)


def test_an_outcome_contains_the_change_of_each_measure() -> None:
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
def test_success_is_decided_by_the_criterion_of_the_playbook(
    measure: str, *, is_open: bool, expected: bool | None
) -> None:
    success = SuccessCriterion(measure=measure, least=5)

    assert succeeded(success, BEFORE, AFTER, signal_is_open=is_open) is expected


def test_a_rise_below_the_least_is_no_success() -> None:
    assert succeeded(
        SuccessCriterion(measure="breadth", least=7), BEFORE, AFTER, signal_is_open=False
    ) is (False)


@pytest.mark.parametrize("measure", ["breadth", "signal_cleared", "retained"])
def test_a_churned_account_is_no_success(measure: str) -> None:
    assert succeeded(SuccessCriterion(measure=measure), BEFORE, GONE, signal_is_open=False) is False


def test_the_outcome_of_an_unknown_account_is_null() -> None:
    outcome = describe_outcome(BREADTH, BEFORE, None, signal_is_open=False)

    assert (outcome["retained"], outcome["succeeded"], outcome["on"]) == (None, None, None)
