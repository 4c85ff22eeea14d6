"""Use of a quarter as it was added up, read into what signals look at. Pure."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from app.signals.inputs import NO_ACTIVITY, SPANS, WEEKS, Activity, Champion, UsePeriod

ActivityRow = Mapping[str, Any]
"""One account's row as JSON; what it is made of is in ``activity_statements``."""


def parse_activity(
    said: ActivityRow, features: Mapping[str, str], key_actions: Collection[str]
) -> Activity:
    """Read a row. ``features``: event name to product feature.

    ``key_actions``: events that stand for first value; none: any that is of a product feature.
    """
    uses, counted = said["uses"], key_actions or features
    firsts = [first for name, (first, _) in uses.items() if name in counted]
    return Activity(
        weeks=_series(said["weeks"], WEEKS),
        users=tuple(said["users"] or ())[:SPANS] or NO_ACTIVITY.users,
        reached=_series(said["reached"], SPANS),
        active_days=said["active_days"],
        first_day=date.fromisoformat(said["first_day"]),
        last_day=date.fromisoformat(said["last_day"]),
        champion=_champion(said) if said["user_id"] is not None else None,
        uses=_by_feature(uses, features),
        key_action_on=date.fromisoformat(min(firsts)) if firsts else None,
    )


def _series(counts: Mapping[str, int] | None, length: int) -> tuple[int, ...]:
    return tuple((counts or {}).get(str(place), 0) for place in range(length))


def _champion(said: ActivityRow) -> Champion:
    return Champion(
        said["user_id"],
        said["champion_days"],
        date.fromisoformat(said["champion_first_day"]),
        date.fromisoformat(said["champion_last_day"]),
        said["champion_share"] or 0.0,
        said["is_named"],
    )


def _by_feature(
    uses: Mapping[str, tuple[str, str]], features: Mapping[str, str]
) -> dict[str, UsePeriod]:
    """Days as ISO 8601 writes them sort like the days themselves."""
    found: dict[str, tuple[str, str]] = {}
    for name, (first, last) in uses.items():
        if feature := features.get(name):
            since, until = found.get(feature, (first, last))
            found[feature] = (min(since, first), max(until, last))
    return {feature: UsePeriod(*map(date.fromisoformat, days)) for feature, days in found.items()}
