"""A cache of the event names of each workspace: most batches need no query for them."""

from collections.abc import Iterable

MAX_EVENT_NAMES = 2000
OTHER_NAME = "other"


class KnownEventNames:
    """Event names read from committed rows. Rows are never deleted, so no entry becomes stale."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}

    def missing(self, workspace_id: str, names: Iterable[str]) -> set[str]:
        return set(names) - self._names.get(workspace_id, frozenset())

    def add(self, workspace_id: str, names: Iterable[str]) -> None:
        self._names[workspace_id] = self._names.get(workspace_id, frozenset()) | set(names)
