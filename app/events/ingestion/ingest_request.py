"""A request to an ingest route: its key, body, limits and answer, whatever its dialect.

Bodies are parsed here and not by FastAPI: some SDKs send a wrong content type.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.core.db import database_slot
from app.core.errors import UnauthorizedError
from app.core.http.request_checks import read_body, trust_connection
from app.core.schemas import ResponseModel, problem_responses
from app.events.ingestion import service
from app.events.ingestion.cloud_events import refuse_cloud_event_requests, refuse_cloud_events
from app.events.ingestion.limits import IngestLimits
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.schemas import Receipt
from app.events.reading import cloud_events
from app.events.reading.batch import Batch
from app.events.reading.canonical import Dialect
from app.events.reading.decoding import decode_body
from app.events.reading.errors import EmptyBatchError, TooManyEventsError
from app.workspaces.auth import Caller, authenticate, get_caller, key_from_header
from app.workspaces.keys import Scope

MAX_VERDICTS = 100
BEACON_PATH = "/beacon/"
NOT_EMPTY = {"type": "string", "minLength": 1}


async def authenticate_sender(request: Request) -> Caller | None:
    """Return the caller of the key in the header; None without it: the body may have the key."""
    try:
        text = key_from_header(request.headers.get("authorization"))
        text = _browser_key(request) if text is None else text
        if text is None:
            return None
        caller = await get_caller(request, text)
    except UnauthorizedError as error:
        raise UnauthorizedError(error.detail, code="invalid_write_key") from None
    caller.require(Scope.INGEST_WRITE)
    trust_connection(request)
    return caller


def _browser_key(request: Request) -> str | None:
    """Return the key where Jitsu's SDK and a beacon, which has no headers, send it."""
    is_beacon = request.scope["path"].startswith(BEACON_PATH)
    in_query = request.query_params.get("writeKey") if is_beacon else None
    return request.headers.get("x-write-key", in_query)


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
        return self.decode()

    def decode(self, default_encoding: str = "") -> bytes:
        """Undo the content encoding. ``default_encoding``: the one without a header."""
        encoding = self.request.headers.get("content-encoding") or default_encoding
        return decode_body(self.raw_body, encoding, limit=self.limits.body_bytes)


async def open_request(request: Request) -> AsyncGenerator[IngestRequest]:
    """Check the key, read the body, wait for a database slot. One dependency is faster than three.

    The body is refused if it is too large or arrives too slowly.
    """
    caller = await authenticate_sender(request)
    refuse_cloud_event_requests(request.scope["path"], request.headers)
    body = await read_body(request, limit=request.app.state.limits.wire_bytes)
    async with database_slot(request):
        yield IngestRequest(request, caller, body, request.app.state.clock())


IngestRequestDep = Annotated[IngestRequest, Depends(open_request, scope="function")]


def ingest(
    incoming: IngestRequest, batch: Batch, dialect: Dialect, *, dry_run: bool = False
) -> Receipt:
    """Store and count a batch, or only validate it; return the receipt with all its verdicts."""
    state = incoming.request.app.state
    origin, policy = _authorize(incoming, batch, dialect)
    target = service.IngestTarget(state.sessions, state.autocommit_sessions, state.known_names)
    request_id = str(incoming.request.scope.get("request_id", ""))
    return service.ingest_batch(
        target, origin, batch, dialect, policy, request_id=request_id, dry_run=dry_run
    )


def store(
    incoming: IngestRequest, batch: Batch, dialect: Dialect, *, dry_run: bool = False
) -> Response:
    """Do the same and return the answer."""
    return answer(ingest(incoming, batch, dialect, dry_run=dry_run))


def answer(receipt: Receipt) -> Response:
    """Return the answer of a receipt; it lists at most 100 verdicts."""
    receipt.events = receipt.events[:MAX_VERDICTS]
    return Response(receipt.model_dump_json(), media_type="application/json")


def json_answer(content: Mapping[str, Any]) -> Response:
    """Return what an SDK expects that is no receipt."""
    return Response(orjson.dumps(content), media_type="application/json")


def _authorize(
    incoming: IngestRequest, batch: Batch, dialect: Dialect
) -> tuple[BatchOrigin, service.IngestPolicy]:
    """Check key, size, kind and rate; return the origin of the batch and the policy for it."""
    headers = incoming.request.headers
    caller = incoming.caller or _caller_from_body(incoming, batch)
    _check_size(batch, incoming.limits)
    if dialect is not cloud_events.parse_call:
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


def add_route(
    router: APIRouter,
    path: str,
    endpoint: Callable[..., Response],
    name: str,
    *,
    summary: str,
    schema: Any,  # noqa: ANN401
    response_model: type[ResponseModel] = Receipt,
    headers: Sequence[str] = (),
) -> None:
    """Register the path with and without a trailing slash. ``headers``: required ones.

    There is no redirect from one to the other: SDKs treat a redirect as a successful delivery.
    """
    document: dict[str, Any] = {
        "requestBody": {"required": True, "content": {"application/json": schema}}
    }
    if headers:
        document["parameters"] = [
            {"name": name, "in": "header", "required": True, "schema": NOT_EMPTY}
            for name in headers
        ]
    for variant in (path, path + "/"):
        router.add_api_route(
            variant,
            endpoint,
            methods=["POST"],
            name=name,
            summary=summary,
            operation_id=name,
            response_model=response_model,
            responses=problem_responses(400, 401, 403, 408, 413, 415, 422, 429, 503),
            openapi_extra=document,
            include_in_schema=variant == path,
        )


def add_start_answer(
    router: APIRouter, path: str, respond: Callable[..., Response], *methods: str
) -> None:
    """Register what an SDK asks for when it starts, with and without a trailing slash."""
    for variant in (path, path + "/"):
        router.add_api_route(variant, respond, methods=list(methods), include_in_schema=False)
