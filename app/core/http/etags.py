"""ETag and 304: a client that has an answer already is not sent it again."""

import re
from hashlib import blake2b
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH_PREFIX = "/api/v1/"
ETAG_PATTERN = re.compile(rb'(?:W/)?("[^"]*")')
TAGGED_CONTENT_TYPES = (b"application/json", b"text/csv")
CACHE_HEADERS = [(b"cache-control", b"private, no-cache"), (b"vary", b"Accept, Authorization")]
"""The answer is of this key alone, and is asked for again each time; that costs little."""


class ETagMiddleware:
    """ASGI middleware, plain. What is sent in several pieces goes through as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_read = scope["type"] == "http" and scope["method"] == "GET"
        if not is_read or not scope["path"].startswith(PATH_PREFIX):
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _has_tag(message):
                start = message
            elif start is not None and message["type"] == "http.response.body":
                first, start = start, None
                for each in _tagged(scope, first, message):
                    await send(each)
            else:
                await send(message)

        await self.app(scope, receive, send_tagged)


def _has_tag(start: Message) -> bool:
    kinds = [value for name, value in start["headers"] if name == b"content-type"]
    return bool(start["status"] == 200 and kinds and kinds[0].startswith(TAGGED_CONTENT_TYPES))  # noqa: PLR2004


def _tagged(scope: Scope, start: Message, body: Message) -> list[Message]:
    """Add the tag, or say that nothing has changed."""
    if body.get("more_body"):
        return [start, body]
    tag = b'"%s"' % blake2b(body.get("body", b""), digest_size=16).hexdigest().encode()
    added = [(b"etag", tag), *CACHE_HEADERS]
    if not _is_known(scope, tag):
        start["headers"] = [*start["headers"], *added]
        return [start, body]
    unchanged = {"type": "http.response.start", "status": 304, "headers": added}
    return [unchanged, {"type": "http.response.body", "body": b""}]


def _is_known(scope: Scope, tag: bytes) -> bool:
    """Whether the client names it, weakly compared; ``*`` is any."""
    for name, value in scope["headers"]:
        if name == b"if-none-match" and (
            value.strip() == b"*" or tag in ETAG_PATTERN.findall(value)
        ):
            return True
    return False


def install(app: FastAPI) -> None:
    """Tag the answers of an app, and say so in its OpenAPI."""
    app.add_middleware(ETagMiddleware)
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        for path, operations in document["paths"].items():
            answers = operations.get("get", {}).get("responses", {})
            if path.startswith(PATH_PREFIX) and "200" in answers:
                answers["200"].setdefault("headers", {})["ETag"] = ETAG_HEADER
                answers["304"] = NOT_MODIFIED
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


ETAG_HEADER = {
    "description": "Send it as `If-None-Match`, to be told if nothing has changed.",
    "schema": {"type": "string", "examples": ['"8c5f1e0d2b7a4c3fa6b9d8e7f0a1b2c3"']},
}
NOT_MODIFIED = {
    "description": "It is what `If-None-Match` names; the body is empty.",
    "headers": {"ETag": ETAG_HEADER},
}
