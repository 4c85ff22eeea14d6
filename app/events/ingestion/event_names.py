"""A cache of the event names of each workspace: most batches need no query for them."""

from collections.abc import Iterable, Mapping
from datetime import date

from app.events.reading.canonical import CanonicalEvent

MAX_EVENT_NAMES = 2000
OTHER_NAME = "other"


class KnownEventNames:
    """Event names read from committed rows. Rows are never deleted, so no entry becomes stale."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}
        self._first_days: dict[tuple[str, str], dict[str, date]] = {}

    def missing(self, workspace_id: str, names: Iterable[str]) -> set[str]:
        return set(names) - self._names.get(workspace_id, frozenset())

    def add(self, workspace_id: str, names: Iterable[str]) -> None:
        self._names[workspace_id] = self._names.get(workspace_id, frozenset()) | set(names)

    def earlier(
        self, workspace_id: str, key_id: str, days: Mapping[str, date]
    ) -> Mapping[str, date]:
        """Return the names with a first day that is earlier than the known one of the source."""
        known = self._first_days.get((workspace_id, key_id), {})
        return {name: day for name, day in days.items() if day < known.get(name, date.max)}

    def add_first_days(self, workspace_id: str, key_id: str, days: Mapping[str, date]) -> None:
        known = self._first_days.get((workspace_id, key_id), {})
        self._first_days[workspace_id, key_id] = {**known, **days}


def first_days(events: Iterable[CanonicalEvent]) -> dict[str, date]:
    """Return the earliest day of each name under which events are counted."""
    days: dict[str, date] = {}
    for event in events:
        name = event.counted_as
        if name and ((known := days.get(name)) is None or event.day < known):
            days[name] = event.day
    return days
