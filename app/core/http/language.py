"""What every request gets: an id, a log line, its metrics, and an answer while draining."""

import time
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, get_origin
from uuid import uuid4

import structlog
from fastapi import Depends, Header, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import FieldError, UnprocessableError, UnsupportedMediaTypeError
from app.core.languages import Language, preferred_language
from app.core.metrics import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger()


class RequestLogMiddleware:
    """ASGI middleware, plain: BaseHTTPMiddleware would cost three times as much."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        request_id = scope["request_id"] = f"req_{uuid4().hex[:20]}"
        started, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
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


def check_query(request: Request) -> None:
    """Refuse a query that names what there is not, or one thing twice.

    A filter with a slip in its name would list everything, and of two values nobody could say
    which counts.
    """
    if not request.url.query:
        return
    wanted = {
        field.alias: get_origin(field.field_info.annotation) is list
        for field in get_flat_params(request.scope["route"].dependant)  # of dependencies too
        if isinstance(field.field_info, params.Query)
    }
    times = Counter(name for name, _ in request.query_params.multi_items())
    errors = [
        FieldError(f"/query/{name}", wrong)
        for name, given in times.items()
        if (wrong := _wrong(name, given, wanted))
    ]
    if errors:
        raise UnprocessableError("Some of the input cannot be used.", errors=errors)


def check_media_type(request: Request) -> None:
    """Refuse a body that is not called JSON, where JSON is read."""
    if request.scope["route"].body_field is None:
        return
    headers = request.headers
    sends = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind, _, part = headers.get("content-type", "").partition(";")[0].strip().lower().partition("/")
    is_json = kind == "application" and (part == "json" or part.endswith("+json"))
    if sends and not is_json:
        raise UnsupportedMediaTypeError("Send JSON, and say so: Content-Type: application/json.")


def _wrong(name: str, given: int, wanted: Mapping[str, bool]) -> str:
    if name in wanted:
        return "It is given more than once." if given > 1 and not wanted[name] else ""
    near = get_close_matches(name, wanted, n=1)
    return "There is no such parameter" + (f"; did you mean {near[0]!r}?" if near else ".")


async def _language(
    lang: Annotated[Language | None, Query(description="Else by `Accept-Language`.")] = None,
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Language:
    return lang or preferred_language(accept_language)


LanguageDep = Annotated[Language, Depends(_language)]
"""The language that a reader asks for, or likes best."""
