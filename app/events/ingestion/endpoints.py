"""The ingest routes. Bodies are parsed here: some SDKs send a wrong content type."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.core.db import database_slot
from app.core.errors import UnauthorizedError
from app.core.http.request_checks import read_body, trust_connection
from app.core.http.routes import DeclaredRoute
from app.core.schemas import problem_responses
from app.events.ingestion import service
from app.events.ingestion.cloud_events import refuse_cloud_event_requests, refuse_cloud_events
from app.events.ingestion.limits import IngestLimits
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.schemas import NATIVE_EVENTS, SEGMENT_BATCH, SEGMENT_CALL, Receipt
from app.events.reading import native, segment
from app.events.reading.batch import Batch
from app.events.reading.canonical import Dialect
from app.events.reading.decoding import ParsedJson, decode_body, parse_json, parse_json_lines
from app.events.reading.errors import EmptyBatchError, NotAnObjectError, TooManyEventsError
from app.workspaces.auth import Caller, authenticate, get_caller, key_from_header
from app.workspaces.keys import Scope

BATCH_PATHS = {
    "/v1/batch": "ingest_batch",
    "/v1/import": "ingest_import_batch",
    "/v1/b": "ingest_short_batch",
}
"""Operation ids by path."""
CALL_KINDS = ("track", "identify", "group", "page", "screen", "alias")

sdk_router = APIRouter(tags=["SDK ingestion"], route_class=DeclaredRoute)
native_router = APIRouter(prefix="/api/v1", tags=["events"], route_class=DeclaredRoute)


async def authenticate_sender(request: Request) -> Caller | None:
    """Return the caller of the key in the header; None without it: the body may have the key."""
    try:
        text = key_from_header(request.headers.get("authorization"))
        if text is None:
            return None
        caller = await get_caller(request, text)
    except UnauthorizedError as error:
        raise UnauthorizedError(error.detail, code="invalid_write_key") from None
    caller.require(Scope.INGEST_WRITE)
    trust_connection(request)
    return caller


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """A request whose body is complete. It holds a database slot."""

    request: Request
    caller: Caller | None
    raw_body: bytes
    now: datetime

    @property
    def limits(self) -> IngestLimits:
        limits: IngestLimits = self.request.app.state.limits
        return limits

    @property
    def body(self) -> bytes:
        encoding = self.request.headers.get("content-encoding", "")
        return decode_body(self.raw_body, encoding, limit=self.limits.body_bytes)


async def open_request(request: Request) -> AsyncGenerator[IngestRequest]:
    """Check the key, read the body, wait for a database slot. One dependency is faster than three.

    The body is refused if it is too large or arrives too slowly.
    """
    caller = await authenticate_sender(request)
    refuse_cloud_event_requests(request.headers)
    body = await read_body(request, limit=request.app.state.limits.wire_bytes)
    async with database_slot(request):
        yield IngestRequest(request, caller, body, request.app.state.clock())


IngestRequestDep = Annotated[IngestRequest, Depends(open_request, scope="function")]


def _ingest(
    incoming: IngestRequest, batch: Batch, dialect: Dialect, *, dry_run: bool = False
) -> Response:
    state = incoming.request.app.state
    origin, policy = _authorize(incoming, batch)
    target = service.IngestTarget(state.sessions, state.autocommit_sessions, state.known_names)
    request_id = str(incoming.request.scope.get("request_id", ""))
    receipt = service.ingest_batch(
        target, origin, batch, dialect, policy, request_id=request_id, dry_run=dry_run
    )
    return Response(receipt.model_dump_json(), media_type="application/json")


def _authorize(incoming: IngestRequest, batch: Batch) -> tuple[BatchOrigin, service.IngestPolicy]:
    """Check key, size, kind and rate; return the origin of the batch and the policy for it."""
    headers = incoming.request.headers
    caller = incoming.caller or _caller_from_body(incoming, batch)
    _check_size(batch, incoming.limits)
    refuse_cloud_events(batch.events)
    incoming.limits.consume(caller.key_id, len(batch.events))
    policy = service.IngestPolicy(
        service.event_rules(caller),
        caller.base_currency,
        service.oldest_accepted(incoming.now, incoming.limits.retention_days),
        strict="handling=strict" in headers.get("prefer", ""),
        idempotency_key=(headers.get("idempotency-key") or "")[:200] or None,
        changed_ids=caller.id_change_flags,
    )
    return BatchOrigin(caller.workspace_id, caller.key_id, incoming.now), policy


def _caller_from_body(incoming: IngestRequest, batch: Batch) -> Caller:
    if not batch.write_key:
        raise UnauthorizedError(
            "Send a write key, as the user name of Basic authorization or as writeKey.",
            code="invalid_write_key",
        )
    sessions = incoming.request.app.state.autocommit_sessions
    try:
        caller = authenticate(sessions, batch.write_key, now=incoming.now)
    except UnauthorizedError as error:
        raise UnauthorizedError(error.detail, code="invalid_write_key") from None
    caller.require(Scope.INGEST_WRITE)
    return caller


def _check_size(batch: Batch, limits: IngestLimits) -> None:
    if not batch.events:
        raise EmptyBatchError("The batch contains no events: send at least one.")
    if len(batch.events) > limits.batch_events:
        raise TooManyEventsError(
            f"The batch has {len(batch.events)} events:"
            f" send at most {limits.batch_events} at a time."
        )


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
    return _ingest(incoming, _segment_batch(parse_json(incoming.body)), segment.parse_call)


def _call_endpoint(kind: str) -> Callable[..., Response]:
    def ingest_call(incoming: IngestRequestDep) -> Response:
        """Store and count one call of a Segment or RudderStack SDK.

        A repeated call is counted once. The receipt is returned after everything is committed.
        """
        return _ingest(incoming, _segment_call(parse_json(incoming.body), kind), segment.parse_call)

    return ingest_call


def ingest_events(incoming: IngestRequestDep) -> Response:
    """Store and count events: one object, an array, `{"events": [...]}`, or lines of JSON.

    Events with the same `message_id` and timestamp are counted once, so a request can be sent
    again. Events that cannot be used are quarantined; the others are stored. The receipt is
    returned after everything is committed.
    """
    return _ingest(incoming, _native_batch(incoming), native.parse_call)


def validate_events(
    incoming: IngestRequestDep,
    dialect: Annotated[
        Literal["native", "segment"],
        Query(description="`segment`: a body of `/v1/batch`, or one call with its `type`."),
    ] = "native",
) -> Response:
    """Return the receipt that ingesting the same body would give now. Nothing is stored."""
    if dialect == "native":
        return _ingest(incoming, _native_batch(incoming), native.parse_call, dry_run=True)
    parsed = parse_json(incoming.body)
    is_call = isinstance(parsed.value, dict) and "batch" not in parsed.value
    batch = _segment_call(parsed, None) if is_call else _segment_batch(parsed)
    return _ingest(incoming, batch, segment.parse_call, dry_run=True)


def _add_route(
    router: APIRouter,
    path: str,
    endpoint: Callable[..., Response],
    name: str,
    summary: str,
    schema: Any,  # noqa: ANN401
) -> None:
    """Register the path with and without a trailing slash.

    There is no redirect from one to the other: SDKs treat a redirect as a successful delivery.
    """
    document = {"requestBody": {"required": True, "content": {"application/json": schema}}}
    for variant in (path, path + "/"):
        router.add_api_route(
            variant,
            endpoint,
            methods=["POST"],
            name=name,
            summary=summary,
            operation_id=name,
            response_model=Receipt,
            responses=problem_responses(400, 401, 403, 408, 413, 415, 422, 429, 503),
            openapi_extra=document,
            include_in_schema=variant == path,
        )


for batch_path, name in BATCH_PATHS.items():
    summary = f"Ingest a batch of SDK calls ({batch_path})"
    _add_route(sdk_router, batch_path, ingest_batch, name, summary, SEGMENT_BATCH)
for kind in CALL_KINDS:
    endpoint, name, summary = _call_endpoint(kind), f"ingest_{kind}_call", f"Ingest one {kind} call"
    _add_route(sdk_router, f"/v1/{kind}", endpoint, name, summary, SEGMENT_CALL)
_add_route(native_router, "/events", ingest_events, "ingest_events", "Ingest events", NATIVE_EVENTS)
_add_route(
    native_router,
    "/events/validate",
    validate_events,
    "validate_events",
    "Validate events without storing them",
    NATIVE_EVENTS,
)
