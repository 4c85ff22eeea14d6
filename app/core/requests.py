"""What every request gets: an id, a log line, its metrics, and an answer while draining."""

import time
from collections import Counter
from typing import Annotated, get_origin
from uuid import uuid4

import structlog
from fastapi import Depends, Header, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import FieldError, UnprocessableError
from app.core.languages import Language, preferred
from app.core.metrics import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger()


class RequestLog:
    """ASGI middleware, plain: BaseHTTPMiddleware would cost three times as much."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
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


def refuse_repeated(request: Request) -> None:
    """Refuse a query that names one thing twice: nobody could say which of the two counts."""
    if not request.url.query:
        return
    known = get_flat_params(request.scope["route"].dependant)  # those of dependencies too
    wanted = [field for field in known if isinstance(field.field_info, params.Query)]
    many = {field.alias for field in wanted if get_origin(field.field_info.annotation) is list}
    times = Counter(name for name, _ in request.query_params.multi_items())
    errors = [
        FieldError(f"/query/{field.alias}", "It is given more than once.")
        for field in wanted
        if times[field.alias] > 1 and field.alias not in many
    ]
    if errors:
        raise UnprocessableError("Some of the input cannot be used.", errors=errors)


async def _language(
    lang: Annotated[Language | None, Query(description="Else by `Accept-Language`.")] = None,
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Language:
    return lang or preferred(accept_language)


LanguageDep = Annotated[Language, Depends(_language)]
"""The language that a reader asks for, or likes best."""
