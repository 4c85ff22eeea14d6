"""Answer every list as CSV where the client prefers ``text/csv``: one row for each item."""

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.http.csv_text import format_csv, prefers_csv

PATH_PREFIX = "/api/v1/"
CONTENT_TYPE = b"text/csv; charset=utf-8; header=present"
TEXT_SCHEMA = {"schema": {"type": "string"}}
REPLACED_HEADERS = (b"content-type", b"content-length")


class CsvMiddleware:
    """Convert a list from JSON to CSV; pass on requests that do not accept CSV."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _accepts_csv(scope):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def send_csv(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and response_columns(scope, message):
                start = message
                return
            if start is None:
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                for each in await run_in_threadpool(_csv_messages, scope, start, body):
                    await send(each)

        await self.app(scope, receive, send_csv)


def _accepts_csv(scope: Scope) -> bool:
    """Whether the client prefers CSV. Most requests have no ``text/`` and need no parsing."""
    accept = [value for name, value in scope["headers"] if name == b"accept"]
    if not any(b"text/" in value.lower() for value in accept):
        return False
    return scope["path"].startswith(PATH_PREFIX) and prefers_csv(
        b",".join(accept).decode("latin-1")
    )


def response_columns(scope: Scope, start: Message) -> list[str]:
    """Return the columns of a list; empty if the route does not answer with a list."""
    if start["status"] != 200:  # noqa: PLR2004
        return []
    item = item_model(getattr(scope.get("route"), "response_model", None))
    return list(_columns(item)) if item else []


def item_model(model: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any response model
    """Return the model of a list's items; None if the model is not a list."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    items = model.model_fields.get("items")
    inner = get_args(items.annotation) if items else ()
    return _model_in(inner[0]) if inner else None


def _columns(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the leaf fields of a model: a nested object has dotted columns, a list has one."""
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is None or inner is model:
            yield prefix + (field.serialization_alias or name)
        else:
            yield from _columns(inner, f"{prefix}{name}.")


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """Return the model of an annotation, also of an optional one; None if it is no model."""
    if get_origin(annotation) in {Union, UnionType}:
        members = [each for each in get_args(annotation) if each is not type(None)]
        return _model_in(members[0]) if len(members) == 1 else None
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None


def _csv_messages(scope: Scope, start: Message, body: bytes) -> list[Message]:
    page = orjson.loads(body)
    text = format_csv(response_columns(scope, start), page["items"]).encode()
    unchanged = [header for header in start["headers"] if header[0] not in REPLACED_HEADERS]
    start["headers"] = [
        *unchanged,
        (b"content-type", CONTENT_TYPE),
        (b"content-length", str(len(text)).encode()),
        *_next_page_headers(scope, page.get("next_cursor")),
    ]
    return [start, {"type": "http.response.body", "body": text}]


def _next_page_headers(scope: Scope, cursor: str | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield the cursor of the next page, and for GET, which has no body, a link to it too."""
    if cursor is None:
        return
    yield (b"x-next-cursor", cursor.encode())
    if scope["method"] == "GET":
        parameters = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        query = urlencode(
            [*(each for each in parameters if each[0] != "cursor"), ("cursor", cursor)]
        )
        yield (b"link", f'<?{query}>; rel="next"'.encode())


def add_csv(document: dict[str, Any], app: FastAPI) -> None:
    """Document in OpenAPI that every list can be answered as CSV."""
    for context in iter_route_contexts(app.routes):
        item = item_model(getattr(context.original_route, "response_model", None))
        operations = document["paths"].get(context.path, {}) if item else {}
        for method in getattr(context.original_route, "methods", ()):
            response = operations.get(method.lower(), {}).get("responses", {}).get("200")
            if item and response:
                header = ",".join(_columns(item))
                response["content"]["text/csv"] = {**TEXT_SCHEMA, "example": f"{header}\r\n"}
