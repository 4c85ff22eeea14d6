"""What came of an intervention: how the account stood before, and how it stands after. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.health.scoring.assess import HealthStatus
from app.interventions.playbooks.definition import SuccessCriterion

OUTCOME_DAYS = (30, 90)
SIGNAL_CLEARED, RETAINED, HEALTH_SCORE = "signal_cleared", "retained", "health_score"


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """How an account stood on a day; ``measures``: their scores by name, where there are any."""

    day: date
    status: HealthStatus
    score: float | None
    measures: Mapping[str, float]


def describe_outcome(
    success: SuccessCriterion,
    before: AccountSnapshot | None,
    after: AccountSnapshot | None,
    *,
    signal_is_open: bool,
) -> dict[str, Any]:
    """Say what changed, JSON-ready. None: it is not known."""
    changes = {
        name: _change(before, after, name) for name in sorted({*_names(before), *_names(after)})
    }
    return {
        "on": after.day.isoformat() if after else None,
        "retained": after.status is not HealthStatus.CHURNED if after else None,
        "health_score_change": _change(before, after, HEALTH_SCORE),
        "measure_changes": changes,
        "success_measure": success.measure,
        "succeeded": succeeded(success, before, after, signal_is_open=signal_is_open),
    }


def succeeded(
    success: SuccessCriterion,
    before: AccountSnapshot | None,
    after: AccountSnapshot | None,
    *,
    signal_is_open: bool,
) -> bool | None:
    """Whether the playbook's own measure says that it helped; who left was not helped."""
    if after is None:
        return None
    if after.status is HealthStatus.CHURNED or success.measure == RETAINED:
        return after.status is not HealthStatus.CHURNED
    if success.measure == SIGNAL_CLEARED:
        return not signal_is_open
    change = _change(before, after, success.measure)
    return None if change is None else change >= success.least


def _names(stand: AccountSnapshot | None) -> Mapping[str, float]:
    return stand.measures if stand else {}


def _value(stand: AccountSnapshot | None, name: str) -> float | None:
    if stand is None:
        return None
    return stand.score if name == HEALTH_SCORE else stand.measures.get(name)


def _change(
    before: AccountSnapshot | None, after: AccountSnapshot | None, name: str
) -> float | None:
    was, now = _value(before, name), _value(after, name)
    return None if was is None or now is None else round(now - was, 4)
