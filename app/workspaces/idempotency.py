"""Idempotency keys: a POST that is repeated within a day is carried out once (docs/adr/0035)."""

import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute

from app.core.db import request_session, request_transaction
from app.core.encryption import DecryptionError, Encryptor
from app.core.errors import ConflictError, FieldError, UnprocessableError
from app.core.http.request_checks import IncompleteBodyError
from app.core.http.routes import DeclaredRoute
from app.core.schemas import problem_responses
from app.workspaces import idempotency_queries
from app.workspaces.auth import Caller, find_caller

HEADER, REPLAYED_HEADER = "Idempotency-Key", "Idempotency-Replayed"
KEY_PATTERN = "^[!-~]{1,255}$"
MAX_ANSWER_BYTES = 256 * 1024

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyReusedError(UnprocessableError):
    code = "idempotency_key_reused"
    default_detail = (
        "This Idempotency-Key was sent with another request: use a new key for each request, and"
        " repeat a request unchanged."
    )


class AnswerGoneError(ConflictError):
    code = "idempotency_answer_gone"
    default_detail = (
        "The request with this Idempotency-Key was carried out, and its answer is no longer stored:"
        " read the result, or use a new key to carry it out again."
    )


class IdempotentRoute(DeclaredRoute):
    """A route whose POST is carried out once for each ``Idempotency-Key``."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        if not takes_key(self):
            return handler

        async def handle(request: Request) -> Response:
            key = request.headers.get(HEADER)
            caller = None if key is None else await find_caller(request)
            if key is None or caller is None:
                return await handler(request)
            return await _answer_once(request, caller, key, handler)

        return handle


def takes_key(route: BaseRoute) -> bool:
    """Whether a route is a POST in the one transaction of its request, by a known caller."""
    return (
        isinstance(route, IdempotentRoute)
        and "POST" in (route.methods or ())
        and _depends_on(route.dependant, request_session)
    )


def _depends_on(dependant: Dependant, call: Callable[..., Any]) -> bool:
    return dependant.call is call or any(_depends_on(d, call) for d in dependant.dependencies)


@dataclass(frozen=True, slots=True)
class _KeyedRequest:
    """A request as it is stored: by hashes, because ids of people may be in any part of it."""

    workspace_id: str
    digest: bytes
    fingerprint: bytes

    @classmethod
    def of(cls, request: Request, caller: Caller, key: str, body: bytes) -> Self:
        route, scope = request.scope["route"].path, request.scope
        target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        return cls(
            caller.workspace_id,
            _hash(caller.key_id.encode(), route.encode(), key.encode()),
            _hash(target.encode(), body),
        )

    @property
    def context(self) -> str:
        """Identifies the row of the encrypted answer."""
        return f"idempotency key {self.workspace_id} {self.digest.hex()}"

    def claim(self, session: Session, encryptor: Encryptor) -> Response | None:
        """Claim the key; return the answer of the first request if there was one."""
        used = idempotency_queries.claim_key(
            session, self.workspace_id, self.digest, fingerprint=self.fingerprint
        )
        if used is None:
            return None
        if used.fingerprint is not None and used.fingerprint != self.fingerprint:
            raise KeyReusedError
        if used.answer is None:
            raise AnswerGoneError
        try:
            status, media_type, body = encryptor.decrypt(used.answer, context=self.context)
        except DecryptionError:
            raise AnswerGoneError from None
        headers = {REPLAYED_HEADER: "true", **({"Content-Type": media_type} if media_type else {})}
        return Response(body, status, headers)

    def store(self, session: Session, encryptor: Encryptor, response: Response) -> None:
        """Store the answer in the transaction of the request."""
        body = bytes(response.body)
        if len(body) > MAX_ANSWER_BYTES:
            return
        content = (response.status_code, response.headers.get("Content-Type"), body.decode())
        encrypted = encryptor.encrypt(content, context=self.context)
        idempotency_queries.store_answer(session, self.workspace_id, self.digest, encrypted)


def _hash(*parts: bytes) -> bytes:
    digest = blake2b(digest_size=32)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.digest()


async def _answer_once(
    request: Request, caller: Caller, key: str, handler: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Carry out a request, or repeat the answer of the first one with its key.

    Key, answer and work are one transaction: a request that fails leaves the key unused.
    """
    if not re.fullmatch(KEY_PATTERN, key):
        message = "A key has 1 to 255 visible ASCII characters, such as a UUID."
        raise UnprocessableError(errors=[FieldError(f"/header/{HEADER}", message)])
    encryptor: Encryptor = request.app.state.encryptor
    keyed = _KeyedRequest.of(request, caller, key, await _body(request))
    async with request_transaction(request) as session:
        first = await run_in_threadpool(keyed.claim, session, encryptor)
        if first is not None:
            return first
        response = await handler(request)
        await run_in_threadpool(keyed.store, session, encryptor, response)
    return response


async def _body(request: Request) -> bytes:
    """Return the body of a route that reads one; the body of another route stays unread."""
    if request.scope["route"].body_field is None:
        return b""
    try:
        return await request.body()
    except ClientDisconnect:
        raise IncompleteBodyError from None


KEY_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A text of your choice for this request, such as a UUID. If the request is"
    " repeated with the same key within 24 hours, it is carried out once, and each repetition gets"
    f" the first answer with the header `{REPLAYED_HEADER}: true`. A request that failed may be"
    " repeated with the same key.",
    "schema": {
        "type": "string",
        "pattern": KEY_PATTERN,
        "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    },
}
REPLAYED = {
    "description": "`true`: the answer of an earlier request with the same key.",
    "schema": {"type": "string", "enum": ["true"]},
}


def add_idempotency_keys(document: dict[str, Any], app: FastAPI) -> None:
    """Document in OpenAPI which operations take a key."""
    for context in iter_route_contexts(app.routes):
        if not takes_key(context.original_route):
            continue
        operation = document["paths"][context.path]["post"]
        operation.setdefault("parameters", []).append(KEY_PARAMETER)
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                answer.setdefault("headers", {})[REPLAYED_HEADER] = REPLAYED
        operation["responses"].setdefault("409", problem_responses(409)[409])
