"""Ids that a client gives to different events: the second gets an id of its own."""

from dataclasses import replace

from app.events.reading.canonical import CanonicalEvent

ID_REUSED = "id_reused"
ID_START = 200


def with_own_id(event: CanonicalEvent) -> CanonicalEvent:
    """Return the event under its id and a hash of its content, with a warning."""
    own_id = f"{event.message_id[:ID_START]}~{event.fingerprint & (2**64 - 1):016x}"
    return replace(event, message_id=own_id, warnings=(*event.warnings, ID_REUSED))
