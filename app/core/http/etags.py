"""ETags: answer 304 without a body to a client that already has the current response."""

import re
from hashlib import blake2b
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH_PREFIX = "/api/v1/"
ETAG_PATTERN = re.compile(rb'(?:W/)?("[^"]*")')
TAGGED_CONTENT_TYPES = (b"application/json", b"text/csv")
CACHE_HEADERS = [(b"cache-control", b"private, no-cache"), (b"vary", b"Accept, Authorization")]
"""A cache may store a response for this API key only and must revalidate it each time."""


class ETagMiddleware:
    """Add an ETag to successful GET responses. Responses sent in several parts have none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_get = scope["type"] == "http" and scope["method"] == "GET"
        if not is_get or not scope["path"].startswith(PATH_PREFIX):
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _can_be_tagged(message):
                start = message
            elif start is not None and message["type"] == "http.response.body":
                first, start = start, None
                for each in _add_tag(scope, first, message):
                    await send(each)
            else:
                await send(message)

        await self.app(scope, receive, send_tagged)


def _can_be_tagged(start: Message) -> bool:
    kinds = [value for name, value in start["headers"] if name == b"content-type"]
    return bool(start["status"] == 200 and kinds and kinds[0].startswith(TAGGED_CONTENT_TYPES))  # noqa: PLR2004


def _add_tag(scope: Scope, start: Message, body: Message) -> list[Message]:
    """Add the ETag, or replace the response by a 304 if the client has it."""
    if body.get("more_body"):
        return [start, body]
    tag = b'"%s"' % blake2b(body.get("body", b""), digest_size=16).hexdigest().encode()
    added = [(b"etag", tag), *CACHE_HEADERS]
    if not _matches_request(scope, tag):
        start["headers"] = [*start["headers"], *added]
        return [start, body]
    unchanged = {"type": "http.response.start", "status": 304, "headers": added}
    return [unchanged, {"type": "http.response.body", "body": b""}]


def _matches_request(scope: Scope, tag: bytes) -> bool:
    """Whether ``If-None-Match`` has the tag (weak comparison) or ``*``."""
    values = [value for name, value in scope["headers"] if name == b"if-none-match"]
    return any(value.strip() == b"*" or tag in ETAG_PATTERN.findall(value) for value in values)


ETAG_HEADER = {
    "description": "Send it as `If-None-Match`: the answer is 304 while nothing has changed.",
    "schema": {"type": "string", "examples": ['"8c5f1e0d2b7a4c3fa6b9d8e7f0a1b2c3"']},
}
NOT_MODIFIED = {
    "description": "The response has not changed since `If-None-Match`; the body is empty.",
    "headers": {"ETag": ETAG_HEADER},
}


def add_etags(document: dict[str, Any]) -> None:
    """Document in OpenAPI that every GET operation answers with an ETag."""
    for path, operations in document["paths"].items():
        responses = operations.get("get", {}).get("responses", {})
        if path.startswith(PATH_PREFIX) and "200" in responses:
            responses["200"].setdefault("headers", {})["ETag"] = ETAG_HEADER
            responses["304"] = NOT_MODIFIED
