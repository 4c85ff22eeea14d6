"""Send a hostile request to the app itself, and check what every answer must hold."""

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson
from fastapi.testclient import TestClient
from starlette.types import Message

from tests.hostile.requests import HostileRequest
from tests.test_openapi import OPERATIONS

HANGING_SECONDS = 30
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no server sends in a header."""

PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "message", "request_id"}
NEEDED_HEADERS = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}
NO_ROUTE = {"404", "405"}
"""Statuses of a path or a method that no route has; no operation documents them."""


@dataclass(frozen=True)
class Answer:
    """``name``: the operation that answered; empty if no route did."""

    name: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def send(client: TestClient, request: HostileRequest) -> Answer:
    """Send a request as a server passes it on; raise ``TimeoutError`` if no answer comes."""
    sent: list[Message] = []
    parts = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Message:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def collect(message: Message) -> None:
        sent.append(message)

    headers = list(request.headers)
    if request.body and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(request.body)).encode()))
    method = "GET" if request.method == "HEAD" else request.method  # as middleware makes it
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "root_path": "",
        "method": method,
        "path": unquote(request.path.decode("ascii")),
        "raw_path": request.path,
        "query_string": request.query,
        "headers": headers,
        "state": {},
    }

    async def run() -> None:
        try:
            async with asyncio.timeout(HANGING_SECONDS):
                await client.app(scope, receive, collect)
        except TimeoutError:
            raise
        except Exception:
            if not sent:
                raise

    assert client.portal is not None
    client.portal.call(run)
    start, *rest = sent
    return Answer(
        f"{method} {getattr(scope.get('route'), 'path', '')}",
        start["status"],
        {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in rest),
    )


def faults(request: HostileRequest, answer: Answer, secrets: Collection[bytes]) -> list[str]:
    """Return what is wrong with an answer. ``secrets``: texts of another tenant."""
    sent = request.path + request.query + request.body
    documented = {
        *OPERATIONS.get(answer.name.rstrip("/"), {"responses": ()})["responses"],
        *NO_ROUTE,
    }
    found = [f"status {answer.status}"] * (str(answer.status) not in documented)
    found += [f"leak {each!r}" for each in leaks(sent, answer.body, secrets)]
    needed = NEEDED_HEADERS.get(answer.status)
    if needed and needed not in answer.headers:
        found.append(f"no {needed}")
    found += [f"header {name}" for name, value in answer.headers.items() if CONTROL.search(value)]
    if answer.status >= 400:
        found += problem_faults(answer)
    elif answer.body and answer.headers.get("content-type", "").startswith("application/json"):
        orjson.loads(answer.body)
    return found


def leaks(sent: bytes, body: bytes, secrets: Collection[bytes]) -> list[bytes]:
    """Return the secrets in a body that the request did not name itself."""
    return [each for each in secrets if each in body and each not in sent]


def problem_faults(answer: Answer) -> list[str]:
    """Return what the problem details of an answer lack."""
    if answer.headers.get("content-type") != "application/problem+json":
        return [f"content type {answer.headers.get('content-type')}"]
    problem: dict[str, Any] = orjson.loads(answer.body)
    found = [f"no {name}" for name in PROBLEM_FIELDS - problem.keys()]
    if problem["status"] != answer.status or not problem["detail"]:
        found.append("contradicts itself")
    return found
