"""Parse the stored use of half a year into the activity that signals are detected from. Pure."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from app.signals.inputs import NO_ACTIVITY, SPANS, WEEKS, Activity, Champion, UsePeriod

ActivityRow = Mapping[str, Any]
"""The use of one account as JSON, as ``activity_queries.sql:activity`` returns it."""


def parse_activity(
    row: ActivityRow, features: Mapping[str, str], key_actions: Collection[str]
) -> Activity:
    """Parse the use of one account. ``features``: event name to product feature.

    ``key_actions``: the events that mean first value. Empty: the events of all product features.
    """
    uses, first_value_events = row["uses"], key_actions or features
    first_days = [first for name, (first, _) in uses.items() if name in first_value_events]
    return Activity(
        weeks=_series(row["weeks"], WEEKS),
        users=tuple(row["users"] or ())[:SPANS] or NO_ACTIVITY.users,
        reached=_series(row["reached"], SPANS),
        active_days=row["active_days"],
        first_day=date.fromisoformat(row["first_day"]),
        last_day=date.fromisoformat(row["last_day"]),
        champion=_champion(row) if row["user_id"] is not None else None,
        uses=_by_feature(uses, features),
        key_action_on=date.fromisoformat(min(first_days)) if first_days else None,
    )


def _series(counts: Mapping[str, int] | None, length: int) -> tuple[int, ...]:
    return tuple((counts or {}).get(str(position), 0) for position in range(length))


def _champion(row: ActivityRow) -> Champion:
    return Champion(
        row["user_id"],
        row["champion_days"],
        date.fromisoformat(row["champion_first_day"]),
        date.fromisoformat(row["champion_last_day"]),
        row["champion_share"] or 0.0,
        row["is_named"],
    )


def _by_feature(
    uses: Mapping[str, tuple[str, str]], features: Mapping[str, str]
) -> dict[str, UsePeriod]:
    """Merge the days of use by product feature; ISO 8601 dates sort like the days themselves."""
    periods: dict[str, tuple[str, str]] = {}
    for name, (first, last) in uses.items():
        if feature := features.get(name):
            since, until = periods.get(feature, (first, last))
            periods[feature] = (min(since, first), max(until, last))
    return {feature: UsePeriod(*map(date.fromisoformat, days)) for feature, days in periods.items()}
