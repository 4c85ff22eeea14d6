"""The ingest routes of the Segment and the native dialect."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.core.http.routes import DeclaredRoute
from app.core.schemas import SDK_TAG
from app.events.ingestion.ingest_request import (
    IngestRequest,
    IngestRequestDep,
    add_route,
    store,
)
from app.events.ingestion.posthog_endpoints import read_posthog_batch
from app.events.ingestion.schemas import NATIVE_EVENTS, SEGMENT_BATCH, SEGMENT_CALL
from app.events.reading import cloud_events, native, posthog, segment
from app.events.reading.batch import Batch
from app.events.reading.cloud_event_bodies import is_cloud_event_request, parse_body
from app.events.reading.decoding import ParsedJson, parse_json, parse_json_lines
from app.events.reading.errors import NotAnObjectError

BATCH_PATHS = {
    "/v1/batch": "ingest_batch",
    "/v1/import": "ingest_import_batch",
    "/v1/b": "ingest_short_batch",
}
"""Operation ids by path."""
OPENMETER_SDK = "python-openmeter/"
SHORT_KINDS = {
    "t": "track",
    "i": "identify",
    "g": "group",
    "p": "page",
    "s": "screen",
    "a": "alias",
}
"""The kinds of calls by the names in the paths of browsers."""
CALL_KINDS = tuple(SHORT_KINDS.values())

sdk_router = APIRouter(tags=[SDK_TAG], route_class=DeclaredRoute)
native_router = APIRouter(prefix="/api/v1", tags=["events"], route_class=DeclaredRoute)


def _segment_batch(parsed: ParsedJson) -> Batch:
    """Parse ``{"batch": [...], "sentAt": ..., "writeKey": ...}``."""
    value = parsed.value
    if not isinstance(value, dict) or not isinstance(value.get("batch"), list):
        raise NotAnObjectError('The body must be a JSON object with an array "batch".')
    return Batch(value["batch"], parsed.suspect, value.get("sentAt"), _write_key(value))


def _segment_call(parsed: ParsedJson, kind: str | None) -> Batch:
    """Parse one call. ``kind``: the kind of the route; None: the call names it in ``type``."""
    if not isinstance(parsed.value, dict):
        raise NotAnObjectError("The body must be a JSON object.")
    key = _write_key(parsed.value)
    call = {name: value for name, value in parsed.value.items() if name != "writeKey"}
    if kind is not None:
        call["type"] = kind
    return Batch([call], parsed.suspect, None, key)


def _native_batch(incoming: IngestRequest) -> Batch:
    """Parse an object, an array, ``{"events": [...]}`` or lines of JSON."""
    if "ndjson" in incoming.request.headers.get("content-type", ""):
        lines = parse_json_lines(incoming.body)
        return Batch(lines.value, lines.suspect)
    parsed = parse_json(incoming.body)
    match parsed.value:
        case list():
            return Batch(parsed.value, parsed.suspect)
        case {"events": list() as events}:
            return Batch(events, parsed.suspect, parsed.value.get("sent_at"))
        case dict():
            return Batch([parsed.value], parsed.suspect)
    raise NotAnObjectError("The body must be a JSON object or array.")


def _write_key(value: dict[str, Any]) -> str | None:
    key = value.get("writeKey")
    return key if isinstance(key, str) else None


def ingest_batch(incoming: IngestRequestDep) -> Response:
    """Store and count a batch of calls as a Segment or RudderStack SDK sends it.

    Repeated calls are counted once, so a batch can be sent again. The receipt is returned after
    everything is committed. Calls that cannot be used are quarantined; the others are stored.
    """
    return store(incoming, _segment_batch(parse_json(incoming.body)), segment.parse_call)


def call_endpoint(kind: str) -> Callable[..., Response]:
    def ingest_call(incoming: IngestRequestDep) -> Response:
        """Store and count one call of a Segment or RudderStack SDK.

        A repeated call is counted once. The receipt is returned after everything is committed.
        """
        return store(incoming, _segment_call(parse_json(incoming.body), kind), segment.parse_call)

    return ingest_call


def ingest_events(incoming: IngestRequestDep) -> Response:
    """Store and count events: one object, an array, `{"events": [...]}`, lines of JSON.

    With their content types or headers also CloudEvents: one, a batch, or the data of one.
    Events with the same `message_id` and timestamp are counted once, so a request can be sent
    again. Events that cannot be used are quarantined; the others are stored. The receipt is
    returned after everything is committed.
    """
    headers = incoming.request.headers
    if not is_cloud_event_request(headers):
        return store(incoming, _native_batch(incoming), native.parse_call)
    stored = store(incoming, parse_body(headers, incoming.body), cloud_events.parse_call)
    # OpenMeter's SDK for Python takes any other status for a failure, this one is its success
    is_openmeter = OPENMETER_SDK in headers.get("user-agent", "")
    return Response(status_code=HTTPStatus.NO_CONTENT) if is_openmeter else stored


def validate_events(
    incoming: IngestRequestDep,
    dialect: Annotated[
        Literal["native", "segment", "posthog"],
        Query(
            description="`segment`: a body of `/v1/batch`, or one call with its `type`."
            " `posthog`: a body of `/batch`."
        ),
    ] = "native",
) -> Response:
    """Return the receipt that ingesting the same body would give now. Nothing is stored."""
    headers = incoming.request.headers
    if is_cloud_event_request(headers):
        batch = parse_body(headers, incoming.body)
        return store(incoming, batch, cloud_events.parse_call, dry_run=True)
    if dialect == "native":
        return store(incoming, _native_batch(incoming), native.parse_call, dry_run=True)
    if dialect == "posthog":
        return store(incoming, read_posthog_batch(incoming), posthog.parse_call, dry_run=True)
    parsed = parse_json(incoming.body)
    is_call = isinstance(parsed.value, dict) and "batch" not in parsed.value
    batch = _segment_call(parsed, None) if is_call else _segment_batch(parsed)
    return store(incoming, batch, segment.parse_call, dry_run=True)


for batch_path, name in BATCH_PATHS.items():
    summary = f"Ingest a batch of SDK calls ({batch_path})"
    add_route(sdk_router, batch_path, ingest_batch, name, summary=summary, schema=SEGMENT_BATCH)
for kind in CALL_KINDS:
    endpoint, name, summary = call_endpoint(kind), f"ingest_{kind}_call", f"Ingest one {kind} call"
    add_route(sdk_router, f"/v1/{kind}", endpoint, name, summary=summary, schema=SEGMENT_CALL)
add_route(
    native_router,
    "/events",
    ingest_events,
    "ingest_events",
    summary="Ingest events",
    schema=NATIVE_EVENTS,
)
add_route(
    native_router,
    "/events/validate",
    validate_events,
    "validate_events",
    summary="Validate events without storing them",
    schema=NATIVE_EVENTS,
)
