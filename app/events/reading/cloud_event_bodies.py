"""The bodies of CloudEvents over HTTP: one event, a batch, or data whose attributes are headers."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from app.core.errors import UnsupportedMediaTypeError
from app.events.reading.batch import Batch
from app.events.reading.cloud_events import event_from_headers, read_attributes
from app.events.reading.decoding import parse_json
from app.events.reading.errors import NotAnObjectError

ANY_EVENT = "application/cloudevents"
ONE_EVENT, SEVERAL_EVENTS = "application/cloudevents+json", "application/cloudevents-batch+json"
VERSION_HEADER = "ce-specversion"


def is_cloud_event_request(headers: Mapping[str, str]) -> bool:
    """Whether the body is a CloudEvent, or its data while the attributes are headers."""
    return _content_type(headers).startswith(ANY_EVENT) or VERSION_HEADER in headers


def parse_body(headers: Mapping[str, str], body: bytes) -> Batch:
    """Parse the body of a request that has CloudEvents."""
    content_type = _content_type(headers)
    if not content_type.startswith(ANY_EVENT):
        event = event_from_headers(headers.items(), _parse_data(content_type, body))
        return Batch([read_attributes(event)], suspect=True)
    if content_type not in {ONE_EVENT, SEVERAL_EVENTS}:
        raise UnsupportedMediaTypeError(
            f"CloudEvents are read as JSON: send Content-Type: {ONE_EVENT} or {SEVERAL_EVENTS}."
        )
    parsed = parse_json(body)
    match parsed.value:
        case dict() if content_type == ONE_EVENT:
            return Batch([read_attributes(parsed.value)], parsed.suspect)
        case list() if content_type == SEVERAL_EVENTS:
            return Batch([read_attributes(each) for each in parsed.value], parsed.suspect)
    raise NotAnObjectError(f"The body must be an object with {ONE_EVENT}, else an array.")


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _parse_data(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the field of an event that has the data."""
    if not body:
        return {}
    if content_type in {"", "application/json", "text/json"} or content_type.endswith("+json"):
        return {"data": parse_json(body).value}
    try:
        return {"data": body.decode()}
    except UnicodeDecodeError:
        return {"data_base64": b64encode(body).decode()}
