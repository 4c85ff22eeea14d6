"""How the events of a workspace are read, by what it has set."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.events.reading.canonical import EventRules
from app.workspaces.semantic_events import events_by_name


class EventSettings(Protocol):
    """A workspace, or a caller of it."""

    @property
    def end_customer_keys(self) -> Sequence[str]: ...
    @property
    def reach_property(self) -> str | None: ...
    @property
    def internal_domains(self) -> Sequence[str]: ...
    @property
    def semantic_events(self) -> Mapping[str, Sequence[str]]: ...


def event_rules(said: EventSettings) -> EventRules:
    return EventRules(
        said.end_customer_keys,
        said.reach_property,
        said.internal_domains,
        events_by_name(said.semantic_events),
    )
