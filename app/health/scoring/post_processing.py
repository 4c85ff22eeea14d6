"""Steps after an assessment: freeze stale scores, apply overrides, add the trend. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.health.definition.scorecard import Band, Card
from app.health.scoring.assess import Assessment, HealthStatus

TREND_DAYS = (7, 28, 90)
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Override:
    """A person's value that replaces the score until it expires, with the reason."""

    value: float
    reason: str
    author: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LastScore:
    """The stored score of an account, from before its event source became silent."""

    score: float | None
    band: Band
    coverage: float
    details: Mapping[str, Any]


def freeze_stale(fresh: Assessment, last: LastScore | None) -> Assessment:
    """Return the last stored score as stale, because the account's event source is silent.

    A new, churned or excluded account, or one without a last score, keeps the fresh assessment. An
    override in the last score is removed first: the score below it is the one that is frozen.
    """
    if last is None or fresh.status not in {HealthStatus.OK, HealthStatus.INSUFFICIENT_DATA}:
        return fresh
    machine = last.details.get("machine") or {"value": last.score, "band": last.band}
    if machine["value"] is None:
        return fresh
    details = {key: value for key, value in last.details.items() if key not in OVERRIDE_DETAILS}
    return replace(
        fresh,
        score=machine["value"],
        band=machine["band"],
        status=HealthStatus.STALE,
        coverage=last.coverage,
        details=details,
    )


OVERRIDE_DETAILS = {"machine", "override"}


def apply_override(assessment: Assessment, override: Override | None, card: Card) -> Assessment:
    """Replace the score by a person's value; the computed one stays in ``details["machine"]``.

    Churned and excluded accounts are returned unchanged.
    """
    if override is None or assessment.status in {HealthStatus.CHURNED, HealthStatus.EXCLUDED}:
        return assessment
    machine = {"value": assessment.score, "band": assessment.band, "status": assessment.status}
    return replace(
        assessment,
        score=override.value,
        band=card.band(override.value),
        status=HealthStatus.OVERRIDDEN,
        details={**assessment.details, "machine": machine, "override": override},
    )


def add_trend(assessment: Assessment, earlier: Mapping[int, float]) -> Assessment:
    """Add the points by which the score moved in 7, 28 and 90 days; None without an earlier score.

    ``earlier``: scores by the number of days ago.
    """
    trend = {
        f"d{days}": round(assessment.score - earlier[days], DIGITS)
        if assessment.score is not None and days in earlier
        else None
        for days in TREND_DAYS
    }
    return replace(assessment, details={**assessment.details, "trend": trend})
