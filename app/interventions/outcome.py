"""The outcome of an intervention: the account before it compared with the account after. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.health.scoring.assess import HealthStatus
from app.interventions.playbooks.definition import (
    HEALTH_SCORE,
    RETAINED,
    SIGNAL_CLEARED,
    SuccessCriterion,
)

OUTCOME_DAYS = (30, 90)


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """The scores of an account on a day. ``measures``: scores by name, missing ones left out.

    ``paid_until``: the end of the last contract of a churned account.
    """

    day: date
    status: HealthStatus
    score: float | None
    measures: Mapping[str, float]
    paid_until: date | None = None


def describe_outcome(
    success: SuccessCriterion,
    before: AccountSnapshot | None,
    after: AccountSnapshot | None,
    *,
    signal_is_open: bool,
) -> dict[str, Any]:
    """Return what changed, JSON-ready; an unknown value is None."""
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
    """Whether the success criterion is met; None if unknown. A churned account is no success."""
    if after is None:
        return None
    if after.status is HealthStatus.CHURNED or success.measure == RETAINED:
        return after.status is not HealthStatus.CHURNED
    if success.measure == SIGNAL_CLEARED:
        return not signal_is_open
    change = _change(before, after, success.measure)
    return None if change is None else change >= success.least


def _names(snapshot: AccountSnapshot | None) -> Mapping[str, float]:
    return snapshot.measures if snapshot else {}


def _value(snapshot: AccountSnapshot | None, name: str) -> float | None:
    if snapshot is None:
        return None
    return snapshot.score if name == HEALTH_SCORE else snapshot.measures.get(name)


def _change(
    before: AccountSnapshot | None, after: AccountSnapshot | None, name: str
) -> float | None:
    was, now = _value(before, name), _value(after, name)
    return None if was is None or now is None else round(now - was, 4)
