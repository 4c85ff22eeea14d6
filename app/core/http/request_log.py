"""ASGI middleware that gives each request an id, a log line and its metrics."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logs import bound_contextvars, get_logger
from app.core.metrics import REQUEST_SECONDS, REQUESTS

log = get_logger()


REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}"
)


class Trace(NamedTuple):
    """The trace that a caller names, as headers of the answer and as fields of the log."""

    headers: Sequence[tuple[bytes, bytes]] = ()
    log_fields: Mapping[str, str] = {}


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """Return the caller's id if it is short and of harmless characters, else a new one."""
    sent = headers.get(b"x-request-id", b"")
    return sent.decode() if REQUEST_ID.fullmatch(sent) else f"req_{uuid4().hex[:20]}"


def _trace(headers: Mapping[bytes, bytes]) -> Trace:
    """Return the trace of a valid ``traceparent`` (W3C Trace Context)."""
    sent = headers.get(b"traceparent", b"")
    parts = TRACEPARENT.fullmatch(sent)
    if parts is None:
        return Trace()
    trace_id, span_id = (part.decode() for part in parts.groups())
    return Trace([(b"traceparent", sent)], {"trace_id": trace_id, "parent_span_id": span_id})


class RequestLogMiddleware:
    """Id, log line, metrics. It is plain ASGI: BaseHTTPMiddleware costs three times as much."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = scope["request_id"] = _request_id(headers)
        if scope["method"] == "HEAD":  # the server drops the body
            scope = {**scope, "method": "GET"}
        trace = _trace(headers)
        started, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    *trace.headers,
                ]
            await send(message)

        with bound_contextvars(request_id=request_id, **trace.log_fields):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - started
                route = getattr(scope.get("route"), "path", "unknown")
                REQUESTS.labels(scope["method"], route, status).inc()
                REQUEST_SECONDS.labels(route).observe(seconds)
                log.debug(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 2),
                )
