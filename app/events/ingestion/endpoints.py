"""Where events come in. The bodies are read by hand: SDKs lie about their content type."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.core.db import database_slot
from app.core.errors import UnauthorizedError
from app.core.http.request_body import read_body
from app.core.schemas import problem_responses
from app.events.ingestion import service
from app.events.ingestion.limits import IngestLimits
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.schemas import NATIVE_EVENTS, SEGMENT_BATCH, SEGMENT_CALL, Receipt
from app.events.ingestion.workspace_rules import event_rules
from app.events.reading import decoding, native, segment
from app.events.reading.batch import Batch
from app.events.reading.canonical import Dialect
from app.events.reading.errors import EmptyBatchError, NotAnObjectError, TooManyEventsError
from app.workspaces.auth import Caller, authenticate, get_caller, key_from_header
from app.workspaces.keys import Scope

BATCH_PATHS = ("/v1/batch", "/v1/import", "/v1/b")
CALL_KINDS = ("track", "identify", "group", "page", "screen", "alias")

sdk_router = APIRouter(tags=["SDK ingestion"])
native_router = APIRouter(prefix="/api/v1", tags=["events"])


@dataclass(frozen=True, slots=True)
class RawBody:
    raw: bytes
    encoding: str
    content_type: str

    def decoded(self, limits: IngestLimits) -> bytes:
        return decoding.decode_body(self.raw, self.encoding, limit=limits.body_bytes)


async def authenticate_sender(request: Request) -> Caller | None:
    """Check the key in the header before the body is read; None: it may be in the body."""
    text = key_from_header(request.headers.get("authorization"))
    if text is None:
        return None
    try:
        caller = await get_caller(request, text)
    except UnauthorizedError as error:
        raise UnauthorizedError(error.detail, code="invalid_write_key") from None
    caller.require(Scope.INGEST_WRITE)
    return caller


async def read_request_body(request: Request) -> RawBody:
    """Read the body as bytes, as long as it is neither too large nor too slow."""
    raw = await read_body(request, limit=request.app.state.limits.wire_bytes)
    headers = request.headers
    return RawBody(raw, headers.get("content-encoding", ""), headers.get("content-type", ""))


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """A request that has come in whole, and holds a slot of the database."""

    request: Request
    caller: Caller | None
    body: RawBody
    now: datetime

    @property
    def limits(self) -> IngestLimits:
        limits: IngestLimits = self.request.app.state.limits
        return limits

    @property
    def request_id(self) -> str:
        return str(self.request.scope.get("request_id", ""))

    @property
    def parsed(self) -> decoding.ParsedJson:
        return decoding.parse_json(self.body.decoded(self.limits))


async def open_request(request: Request) -> AsyncGenerator[IngestRequest]:
    """Check the key, then read the body, then wait for a slot: one dependency costs less."""
    caller = await authenticate_sender(request)
    content = await read_request_body(request)
    async with database_slot(request):
        yield IngestRequest(request, caller, content, request.app.state.clock())


IngestRequestDep = Annotated[IngestRequest, Depends(open_request, scope="function")]


def _ingest(arrival: IngestRequest, batch: Batch, dialect: Dialect) -> Response:
    state = arrival.request.app.state
    origin, policy = _authorize(arrival, batch)
    target = service.IngestTarget(state.sessions, state.autocommit_sessions, state.known_names)
    receipt = service.ingest_batch(
        target, origin, batch, dialect, policy, request_id=arrival.request_id
    )
    return Response(receipt.model_dump_json(), media_type="application/json")


def _validate(arrival: IngestRequest, batch: Batch, dialect: Dialect) -> Response:
    sessions = arrival.request.app.state.sessions
    origin, policy = _authorize(arrival, batch)
    receipt = service.validate_batch(
        sessions, origin, batch, dialect, policy, request_id=arrival.request_id
    )
    return Response(receipt.model_dump_json(), media_type="application/json")


def _authorize(arrival: IngestRequest, batch: Batch) -> tuple[BatchOrigin, service.IngestPolicy]:
    """Check key, size and rate; tell whose the batch is, and how it is to be read."""
    headers = arrival.request.headers
    caller = arrival.caller or _caller_from_body(arrival, batch)
    _check_size(batch, arrival.limits)
    arrival.limits.consume(caller.key_id, len(batch.events))
    policy = service.IngestPolicy(
        event_rules(caller),
        caller.base_currency,
        service.oldest_accepted(arrival.now, arrival.limits.retention_days),
        strict="handling=strict" in headers.get("prefer", ""),
        idempotency_key=(headers.get("idempotency-key") or "")[:200] or None,
        changed_ids=caller.changed_ids,
    )
    return BatchOrigin(caller.workspace_id, caller.key_id, arrival.now), policy


def _caller_from_body(arrival: IngestRequest, batch: Batch) -> Caller:
    if not batch.write_key:
        raise UnauthorizedError(
            "Send a write key, as the user name of Basic authorization.", code="invalid_write_key"
        )
    try:
        sessions = arrival.request.app.state.autocommit_sessions
        caller = authenticate(sessions, batch.write_key, now=arrival.now)
    except UnauthorizedError as error:
        raise UnauthorizedError(error.detail, code="invalid_write_key") from None
    caller.require(Scope.INGEST_WRITE)
    return caller


def _check_size(batch: Batch, limits: IngestLimits) -> None:
    if not batch.events:
        raise EmptyBatchError("The batch holds no events.")
    if len(batch.events) > limits.batch_events:
        raise TooManyEventsError(f"A batch holds at most {limits.batch_events} events.")


def _segment_batch(parsed: decoding.ParsedJson) -> Batch:
    """Read ``{"batch": [...], "sentAt": ..., "writeKey": ...}``."""
    value = parsed.value
    if not isinstance(value, dict) or not isinstance(value.get("batch"), list):
        raise NotAnObjectError('The body must be an object with a list "batch".')
    return Batch(value["batch"], parsed.suspect, value.get("sentAt"), _write_key(value))


def _segment_call(parsed: decoding.ParsedJson, kind: str | None) -> Batch:
    """Read one call; its route tells the kind, where it has one."""
    if not isinstance(parsed.value, dict):
        raise NotAnObjectError("The body must be a JSON object.")
    key = _write_key(parsed.value)
    call = {name: value for name, value in parsed.value.items() if name != "writeKey"}
    if kind is not None:
        call["type"] = kind
    return Batch([call], parsed.suspect, None, key)


def _native_batch(arrival: IngestRequest) -> Batch:
    """Read an object, an array, ``{"events": [...]}`` or lines of JSON."""
    if "ndjson" in arrival.body.content_type:
        lines = decoding.parse_json_lines(arrival.body.decoded(arrival.limits))
        return Batch(lines.value, lines.suspect)
    parsed = arrival.parsed
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


def receive_batch(arrival: IngestRequestDep) -> Response:
    """Take in a batch of a Segment or RudderStack SDK, as it sends it."""
    return _ingest(arrival, _segment_batch(arrival.parsed), segment.parse_call)


def _call_endpoint(kind: str) -> Callable[..., Response]:
    def receive_call(arrival: IngestRequestDep) -> Response:
        """Take in one call of a Segment or RudderStack SDK."""
        return _ingest(arrival, _segment_call(arrival.parsed, kind), segment.parse_call)

    return receive_call


def receive_events(arrival: IngestRequestDep) -> Response:
    """Take in events of the native dialect: an object, an array, `{"events": []}` or NDJSON."""
    return _ingest(arrival, _native_batch(arrival), native.parse_call)


def validate_events(
    arrival: IngestRequestDep,
    dialect: Annotated[
        Literal["native", "segment"],
        Query(
            description="`segment`: a read_request_body as `/v1/batch` takes it, or one call with its type."
        ),
    ] = "native",
) -> Response:
    """Answer exactly what sending the same events would answer now, and store nothing."""
    if dialect == "segment":
        parsed = arrival.parsed
        is_call = isinstance(parsed.value, dict) and "batch" not in parsed.value
        batch = _segment_call(parsed, None) if is_call else _segment_batch(parsed)
        return _validate(arrival, batch, segment.parse_call)
    return _validate(arrival, _native_batch(arrival), native.parse_call)


def _add_route(
    router: APIRouter,
    path: str,
    endpoint: Callable[..., Response],
    name: str,
    schema: Any,  # noqa: ANN401
) -> None:
    """Register with and without a trailing slash: after a redirect SDKs believe they delivered."""
    document = {"requestBody": {"required": True, "content": {"application/json": schema}}}
    for variant in (path, path + "/"):
        router.add_api_route(
            variant,
            endpoint,
            methods=["POST"],
            name=name,
            operation_id=name,
            response_model=Receipt,
            responses=problem_responses(400, 401, 403, 408, 413, 415, 422, 429, 503),
            openapi_extra=document,
            include_in_schema=variant == path,
        )


for batch_path in BATCH_PATHS:
    batch_name = f"receive_{batch_path.rpartition('/')[2]}"
    _add_route(sdk_router, batch_path, receive_batch, batch_name, SEGMENT_BATCH)
for call_kind in CALL_KINDS:
    name = f"receive_{call_kind}"
    _add_route(sdk_router, f"/v1/{call_kind}", _call_endpoint(call_kind), name, SEGMENT_CALL)
_add_route(native_router, "/events", receive_events, "receive_events", NATIVE_EVENTS)
_add_route(native_router, "/events/validate", validate_events, "validate_events", NATIVE_EVENTS)
