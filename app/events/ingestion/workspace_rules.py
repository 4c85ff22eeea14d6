"""The settings of a workspace that decide how its events are parsed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.events.reading.canonical import EventRules
from app.workspaces.semantic_events import events_by_name


class EventSettings(Protocol):
    """A workspace, or an authenticated caller of it."""

    @property
    def end_customer_keys(self) -> Sequence[str]: ...
    @property
    def reach_property(self) -> str | None: ...
    @property
    def internal_domains(self) -> Sequence[str]: ...
    @property
    def semantic_events(self) -> Mapping[str, Sequence[str]]: ...


def event_rules(settings: EventSettings) -> EventRules:
    return EventRules(
        settings.end_customer_keys,
        settings.reach_property,
        settings.internal_domains,
        events_by_name(settings.semantic_events),
    )
