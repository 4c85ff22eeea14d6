"""Refuse CloudEvents that are sent as something else: 200 and quarantine look like a success."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.core.errors import UnsupportedMediaTypeError
from app.events.reading.cloud_event_bodies import is_cloud_event_request
from app.events.reading.segment import CALL_KINDS

PATH = "/api/v1/events"
WHAT_TO_DO = (
    "send them to /api/v1/events with the header Content-Type: application/cloudevents+json or"
    " application/cloudevents-batch+json, or with headers that begin with ce-; or send the events"
    " as JSON with the fields event, account_id and user_id, and with the header Content-Type:"
    " application/json."
)
CALL_FIELDS = frozenset(
    {"event", "name", "account_id", "user_id", "anonymous_id", "userId", "anonymousId", "groupId"}
)
"""Fields that make an object with a known type a call, whatever other fields it has."""


def refuse_cloud_event_requests(path: str, headers: Mapping[str, str]) -> None:
    """Refuse a request that says that it has a CloudEvent, unless its route reads them."""
    if is_cloud_event_request(headers) and not path.startswith(PATH):
        raise UnsupportedMediaTypeError(f"This route reads no CloudEvents: {WHAT_TO_DO}")


def refuse_cloud_events(events: Sequence[Any]) -> None:
    """Refuse a batch that contains a CloudEvent, sent as plain JSON."""
    for n, event in enumerate(events):
        if not isinstance(event, dict) or not ("specversion" in event or "batch" in event):
            continue  # nearly all events: this costs nothing
        if any(map(_is_cloud_event, _with_inner(event))):
            raise UnsupportedMediaTypeError(
                f"Event {n} of the body, counted from 0, is a CloudEvent: it has specversion, id,"
                " source and type. Nothing of the body was stored:"
                f" {WHAT_TO_DO}"
            )


def _with_inner(event: dict[str, Any]) -> Iterable[Any]:
    """Return an object and the list that it has under ``batch``, for the wrong kind of route."""
    inner = event.get("batch")
    return (event, *inner) if isinstance(inner, list) else (event,)


def _is_cloud_event(event: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether an object has all required attributes of a CloudEvent and is no call beside."""
    if not isinstance(event, dict):
        return False
    version, kind = event.get("specversion"), event.get("type")
    if not isinstance(version, str) or not isinstance(kind, str):
        return False
    if event.get("id") is None or event.get("source") is None:
        return False
    return kind not in CALL_KINDS or CALL_FIELDS.isdisjoint(event)
