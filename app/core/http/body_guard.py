"""ASGI middleware: no body is read before its key is checked, and JSON has a limit and a deadline.

FastAPI reads the body of a JSON route before it runs the dependencies of the route. The first read
runs the check of the key instead. Routes that read their body themselves (events, imports, bills)
have limits of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import PayloadTooLargeError, RequestTimeoutError
from app.core.http.request_checks import BODY_TIMEOUT_SECONDS, announced_bytes

MAX_JSON_BYTES = 2 * 1024 * 1024
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})

Authorize = Callable[[Request], Awaitable[None]]
"""Raises a ``ProblemError`` if the key of a request does not permit its route."""


class BodyGuardMiddleware:
    """Guard the bodies of all routes. ``seconds``: the deadline for a whole JSON body."""

    def __init__(
        self, app: ASGIApp, authorize: Authorize, seconds: float = BODY_TIMEOUT_SECONDS
    ) -> None:
        self.app, self.authorize, self.seconds = app, authorize, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in WITHOUT_BODY:
            receive = _GuardedBody(scope, receive, self.authorize, self.seconds)
        await self.app(scope, receive, send)


class _GuardedBody:
    """The ``receive`` of one request."""

    def __init__(
        self, scope: Scope, receive: Receive, authorize: Authorize, seconds: float
    ) -> None:
        self.scope, self.receive, self.authorize, self.seconds = scope, receive, authorize, seconds
        self.is_authorized = self.is_json = False
        self.deadline = 0.0
        self.size = 0

    async def __call__(self) -> Message:
        if not self.is_authorized:
            await self._authorize()
        if not self.is_json:
            return await self.receive()
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self.receive()
        except TimeoutError:
            raise RequestTimeoutError(
                f"The body did not arrive within {self.seconds:g} s. Send it again."
            ) from None
        self.size += len(message.get("body", b""))
        self._check_size(self.size)
        return message

    async def _authorize(self) -> None:
        request = Request(self.scope)
        await self.authorize(request)
        self.is_authorized = True
        self.is_json = getattr(self.scope.get("route"), "body_field", None) is not None
        self.deadline = asyncio.get_running_loop().time() + self.seconds
        if self.is_json:
            self._check_size(announced_bytes(request))

    def _check_size(self, size: int) -> None:
        if size > MAX_JSON_BYTES:
            raise PayloadTooLargeError(
                f"The body is larger than the limit of {MAX_JSON_BYTES} bytes: split it."
            )
