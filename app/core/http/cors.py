"""ASGI middleware that lets pages of any origin send events, and read the answer, errors too.

No route of events reads a cookie: a page can do nothing here that any other client cannot.
"""

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY_ORIGIN = (b"access-control-allow-origin", b"*")
EXPOSED = (b"access-control-expose-headers", b"Retry-After, X-Request-Id")
PREFLIGHT = (
    ANY_ORIGIN,
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-max-age", b"86400"),
    (b"vary", b"Access-Control-Request-Headers"),
)


class CorsMiddleware:
    """Answer preflights, and allow every origin to read answers, on the paths of events."""

    def __init__(self, app: ASGIApp, paths: Sequence[str]) -> None:
        self.app, self.paths = app, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if b"origin" not in headers or not self._is_open(scope["path"]):
            await self.app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            wanted = headers.get(b"access-control-request-headers", b"")
            allowed = (b"access-control-allow-headers", wanted)
            start = {"type": "http.response.start", "status": 204, "headers": [*PREFLIGHT, allowed]}
            await send(start)
            await send({"type": "http.response.body"})
        else:
            await self.app(scope, receive, _allowing(send))

    def _is_open(self, path: str) -> bool:
        """Whether the path is one of ours, or below one."""
        ends = (at for at, letter in enumerate(path + "/") if letter == "/")
        return any(path[:end] in self.paths for end in ends)


def _allowing(send: Send) -> Send:
    async def send_allowing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], ANY_ORIGIN, EXPOSED]}
        await send(message)

    return send_allowing
