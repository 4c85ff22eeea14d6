"""Answer lists and reports as CSV where the client prefers ``text/csv``: a row for each item."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.http.csv_tables import CsvTable, find_columns, find_table
from app.core.http.csv_text import format_csv, prefers_csv

PATH_PREFIX = "/api/v1/"
CONTENT_TYPE = b"text/csv; charset=utf-8; header=present"
TEXT_SCHEMA = {"schema": {"type": "string"}}
REPLACED_HEADERS = (b"content-type", b"content-length")


class CsvMiddleware:
    """Convert an answer with rows from JSON to CSV; pass on requests that do not accept CSV."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _accepts_csv(scope):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        table: CsvTable | None = None
        body = b""

        async def send_csv(message: Message) -> None:
            nonlocal start, table, body
            if message["type"] == "http.response.start":
                start, table = message, response_table(scope, message)
                if table is not None:
                    return
            if start is None or table is None:
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                for each in await run_in_threadpool(_csv_messages, scope, start, table, body):
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


def response_table(scope: Scope, start: Message) -> CsvTable | None:
    """Return the table of an answer; None if the route does not answer with rows."""
    if start["status"] != 200:  # noqa: PLR2004
        return None
    return find_table(getattr(scope.get("route"), "response_model", None))


def _csv_messages(scope: Scope, start: Message, table: CsvTable, body: bytes) -> list[Message]:
    page = orjson.loads(body)
    text = format_csv(table.columns, table.rows(page, _base_currency(scope))).encode()
    unchanged = [header for header in start["headers"] if header[0] not in REPLACED_HEADERS]
    start["headers"] = [
        *unchanged,
        (b"content-type", CONTENT_TYPE),
        (b"content-length", str(len(text)).encode()),
        *_next_page_headers(scope, page.get("next_cursor")),
    ]
    return [start, {"type": "http.response.body", "body": text}]


def _base_currency(scope: Scope) -> str:
    """Return the currency of the caller's workspace, in which most amounts are."""
    return next((caller.base_currency for caller in scope.get("callers", {}).values()), "")


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
    """Document in OpenAPI which answers can be CSV."""
    for context in iter_route_contexts(app.routes):
        columns = find_columns(getattr(context.original_route, "response_model", None))
        operations = document["paths"].get(context.path, {}) if columns else {}
        for method in getattr(context.original_route, "methods", ()):
            response = operations.get(method.lower(), {}).get("responses", {}).get("200")
            if response:
                header = ",".join(columns)
                response["content"]["text/csv"] = {**TEXT_SCHEMA, "example": f"{header}\r\n"}
