"""What lies over a fresh assessment: a silent source, a person's word, the way so far. Pure."""

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
    """What a person says instead of the score, why, and until when."""

    value: float
    reason: str
    author: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LastScore:
    """How an account stood when its source fell silent."""

    score: float | None
    band: Band
    coverage: float
    details: Mapping[str, Any]


def freeze_stale(fresh: Assessment, last: LastScore | None) -> Assessment:
    """Keep the last score where the source of an account's events is silent: it is stale."""
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


def apply_override(found: Assessment, said: Override | None, card: Card) -> Assessment:
    """Put a person's word in the place of the score; the machine's value stays beside it."""
    if said is None or found.status in {HealthStatus.CHURNED, HealthStatus.EXCLUDED}:
        return found
    machine = {"value": found.score, "band": found.band, "status": found.status}
    return replace(
        found,
        score=said.value,
        band=card.band(said.value),
        status=HealthStatus.OVERRIDDEN,
        details={**found.details, "machine": machine, "override": said},
    )


def add_trend(found: Assessment, earlier: Mapping[int, float]) -> Assessment:
    """Say by how many points the score moved in 7, 28 and 90 days; None: it had none then."""
    trend = {
        f"d{days}": round(found.score - earlier[days], DIGITS)
        if found.score is not None and days in earlier
        else None
        for days in TREND_DAYS
    }
    return replace(found, details={**found.details, "trend": trend})
