"""Why an account has no fresh score, and when there will be one; texts in ``.ftl`` files. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from app.core.catalogue import Catalogue, load_catalogue
from app.core.languages import Language
from app.core.number_format import format_number
from app.health.definition.benchmark import MIN_ACCOUNTS
from app.health.explanations.sentences import unknown_measure_names
from app.health.scoring.assess import NEW_DAYS, HealthStatus

UNSCORED = {HealthStatus.NEW, HealthStatus.INSUFFICIENT_DATA}
"""The statuses whose reason depends on ``silent_since``."""


def status_reason(
    status: HealthStatus,
    coverage: float,
    details: Mapping[str, Any],
    language: Language,
    *,
    silent_since: datetime | None = None,
) -> str | None:
    """Return why there is no score, or an old one, in a few sentences; None with a fresh score.

    ``details``: as stored with the score; none if the account was never scored. ``silent_since``:
    the last event of its source, if that is silent.
    """
    texts = load_catalogue(__file__, language)
    since = f"{silent_since:%Y-%m-%d %H:%M} UTC" if silent_since else None
    if status is HealthStatus.STALE:
        return texts.format("stale", since=since)
    if status is HealthStatus.EXCLUDED:
        return texts.format("excluded")
    if status is HealthStatus.CHURNED:
        return texts.format("churned", since=(details.get("inputs") or {}).get("paid_until"))
    if status not in UNSCORED:
        return None
    reasons = [*_unscored(status, coverage, details, texts, language)]
    if since:
        reasons.append(texts.format("silent", since=since))
    return texts.format_list("sentences", reasons)


def _unscored(
    status: HealthStatus,
    coverage: float,
    details: Mapping[str, Any],
    texts: Catalogue,
    language: Language,
) -> Iterator[str]:
    inputs = details.get("inputs")
    if inputs is None:
        yield texts.format("not_scored")
        return
    if status is HealthStatus.NEW:
        yield _new(inputs, texts)
    elif inputs.get("first_used_on") is None:
        yield texts.format("no_event")
    least, peers = details.get("min_coverage"), details.get("peers")
    if least is None or peers is None or coverage >= least:
        return
    if peers < MIN_ACCOUNTS:
        yield texts.format("few_peers", peers=peers, needed=MIN_ACCOUNTS)
    yield texts.format(
        "low_coverage",
        known=format_number(100 * coverage),
        least=format_number(100 * least),
        names=unknown_measure_names(details["measures"], language),
    )


def _new(inputs: Mapping[str, Any], texts: Catalogue) -> str:
    """Name the first day on which the account is not new any more: 28 days after its start."""
    days = [day for name in ("first_used_on", "first_paid_on") if (day := inputs.get(name))]
    if not days:
        return texts.format("no_start", days=NEW_DAYS)
    start = date.fromisoformat(min(days))
    return texts.format("new", start=start, day=start + timedelta(days=NEW_DAYS), days=NEW_DAYS)
