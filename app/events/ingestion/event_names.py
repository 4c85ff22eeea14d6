"""The event names that a workspace is known to use, so that storing a batch need not ask."""

from collections.abc import Iterable

MAX_EVENT_NAMES = 2000
OTHER_NAME = "other"


class KnownEventNames:
    """Names read from committed rows. They are never deleted, so nothing here grows old."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}

    def missing(self, workspace_id: str, names: Iterable[str]) -> set[str]:
        return set(names) - self._names.get(workspace_id, frozenset())

    def learn(self, workspace_id: str, names: Iterable[str]) -> None:
        self._names[workspace_id] = self._names.get(workspace_id, frozenset()) | set(names)
