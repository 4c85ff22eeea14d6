"""No route reads a body before its key is checked, and none reads more than its limit."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import orjson
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message

from app.billing.endpoints import LARGEST_EVENT_BYTES
from app.core import errors
from app.core.http.body_guard import MAX_JSON_BYTES, BodyGuardMiddleware
from app.core.schemas import SDK_TAG
from app.workspaces.auth import authorize
from app.workspaces.keys import Scope
from tests import factories
from tests.test_openapi import OPERATIONS

Receive = Callable[[], Awaitable[Message]]
WITH_BODY = sorted(name for name in OPERATIONS if "requestBody" in OPERATIONS[name])
STRIPE, IMPORTS = "POST /v1/billing/stripe/{source_id}", "POST /api/v1/imports"
EVENTS = {
    name
    for name in WITH_BODY
    if SDK_TAG in OPERATIONS[name]["tags"] or name.startswith("POST /api/v1/events")
}
JSON_ROUTES = [name for name in WITH_BODY if name not in EVENTS | {IMPORTS, STRIPE}]
KEYLESS = EVENTS | {STRIPE}
"""Routes that may find a key, or a signature, in the body: they read it up to a limit."""

LARGE = str(600 * 1024 * 1024)
PART = b" " * 2**18


def request(client: TestClient, name: str, receive: Receive, **headers: str) -> tuple[int, str]:
    """Send a request to the app itself; return the status and the problem code."""
    return exchange(client, client.app, name, receive, headers)


def exchange(
    client: TestClient, app: ASGIApp, name: str, receive: Receive, headers: dict[str, str]
) -> tuple[int, str]:
    """Send a request to an app, in the event loop of the client."""
    method, path = name.split(" ")
    path = re.sub(r"{\w+}", "x1", path)
    headers = {"content-type": "application/json"} | headers
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"kind=accounts" if name == IMPORTS else b"",
        "headers": [
            (k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()
        ],
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    assert client.portal is not None
    client.portal.call(run)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], orjson.loads(body)["code"]


async def echo(body: dict[str, str]) -> dict[str, str]:
    return body


async def empty() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def unread() -> Message:
    raise AssertionError("the body was read")


def key_of(client: TestClient) -> dict[str, str]:
    return {"authorization": client.headers["authorization"]}


def endless(read: list[int]) -> Receive:
    """Return a body without an end; ``read`` gets the size of each part that is read."""

    async def receive() -> Message:
        read.append(len(PART))
        return {"type": "http.request", "body": PART, "more_body": True}

    return receive


@pytest.mark.parametrize("name", sorted(set(WITH_BODY) - KEYLESS))
def test_without_a_valid_key_no_body_is_read(client: TestClient, name: str) -> None:
    unknown = {"authorization": "Bearer hk_unknown"}

    for headers in ({}, unknown):
        assert request(client, name, unread, content_length=LARGE, **headers)[0] == 401


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_events_with_an_unknown_key_in_the_header_are_refused_unread(
    client: TestClient, name: str
) -> None:
    unknown = {"authorization": "Bearer hk_unknown", "content_length": LARGE}

    assert request(client, name, unread, **unknown) == (401, "invalid_write_key")


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_announced_large_body_is_refused_unread(client: TestClient, name: str) -> None:
    headers = {"content_length": LARGE} | key_of(client)

    status, code = request(client, name, unread, **headers)

    assert (status, code) in {(413, "payload_too_large"), (413, "file_too_large")}


@pytest.mark.parametrize("name", [*JSON_ROUTES, *sorted(EVENTS), STRIPE])
def test_an_endless_body_is_refused_at_the_limit(client: TestClient, name: str) -> None:
    read: list[int] = []
    limit = {STRIPE: LARGEST_EVENT_BYTES}.get(name, 5 * 2**20 if name in EVENTS else MAX_JSON_BYTES)

    answer = request(client, name, endless(read), **key_of(client))

    assert answer == (413, "payload_too_large")
    assert sum(read) <= limit + len(PART)


@pytest.mark.parametrize("name", ["POST /v1/track", "PUT /api/v1/plans/{key}", IMPORTS])
def test_an_announced_length_that_is_no_number_is_read_as_none(
    client: TestClient, name: str
) -> None:
    for length in ("\xb2", "-1", "9" * 5000):
        status, _ = request(client, name, empty, content_length=length, **key_of(client))

        assert status in {400, 422}


def test_a_dripping_body_is_ended(client: TestClient) -> None:
    impatient, begun = FastAPI(), asyncio.Event()
    errors.install(impatient)
    impatient.add_middleware(BodyGuardMiddleware, authorize=authorize, seconds=0.1)
    impatient.post("/echo")(echo)

    async def drip() -> Message:
        if begun.is_set():
            await asyncio.Event().wait()  # the rest never comes
        begun.set()
        return {"type": "http.request", "body": b" ", "more_body": True}

    answer = exchange(client, impatient, "POST /echo", drip, {})
    assert answer == (408, "body_too_slow")


def test_a_scope_is_checked_before_the_body(client: TestClient, session: Session) -> None:
    reader = factories.api_key(session, factories.workspace(session), [Scope.HEALTH_READ])
    session.commit()
    headers = {"authorization": f"Bearer {reader}", "content_length": LARGE}

    assert request(client, "PUT /api/v1/plans/{key}", unread, **headers) == (403, "key_scope")
