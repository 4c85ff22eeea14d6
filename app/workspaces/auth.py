"""Who is calling: an API key names exactly one workspace and says what its holder may do."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.models import HTTPBase
from fastapi.security.base import SecurityBase

from app.core.clock import Clock
from app.core.db import Sessions, slot
from app.core.errors import ForbiddenError, UnauthorizedError
from app.workspaces import keys, queries
from app.workspaces.keys import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a valid key. Its workspace is the only one that the request can touch."""

    workspace_id: str
    key_id: str
    scopes: frozenset[str]
    base_currency: str
    end_customer_keys: Sequence[str]
    reach_property: str | None
    internal_domains: Sequence[str]

    @property
    def actor(self) -> str:
        """How the audit names who did it."""
        return f"key:{self.key_id}"

    def require(self, scope: Scope) -> None:
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise ForbiddenError(f"This API key lacks the scope {scope}.")


def key_from_header(authorization: str | None) -> str | None:
    """Read ``Bearer <key>`` or ``Basic base64(<key>:)``; None without a header."""
    if not authorization:
        return None
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(credentials.strip(), validate=True).decode().split(":", 1)[0]
        except (Base64Error, UnicodeDecodeError):
            return ""
    return ""


def identify(sessions: Sessions, text: str, *, now: datetime) -> Caller:
    """Find the key's workspace. Every call asks the database: a revoked key ends at once."""
    key_id = keys.key_id(text)
    with sessions() as session:
        stored = queries.stored_key(session, key_id) if key_id else None
        if stored is None or not keys.matches(text, stored.key_hash):
            raise UnauthorizedError("This API key is unknown.")
        if stored.revoked_at or (stored.expires_at and stored.expires_at <= now):
            raise UnauthorizedError("This API key is revoked or has expired.")
        if stored.last_used_at is None or stored.last_used_at < now - queries.LAST_USE_EVERY:
            queries.touch_key(session, stored.id, now=now)
    return Caller(
        stored.workspace_id,
        stored.id,
        frozenset(stored.scopes),
        stored.base_currency,
        stored.end_customer_keys,
        stored.reach_property,
        stored.internal_domains,
    )


class ApiKeyHeader(SecurityBase):
    """Documents the header in OpenAPI; the key is read by ``key_from_header``."""

    def __init__(self, scheme: str) -> None:
        self.model = HTTPBase(scheme=scheme)
        self.scheme_name = f"{scheme}_api_key"

    async def __call__(self) -> None:
        return None


security = [Security(ApiKeyHeader("bearer")), Security(ApiKeyHeader("basic"))]


async def caller_of(request: Request, text: str) -> Caller:
    state: Any = request.app.state
    clock: Clock = state.clock
    async with slot(request):
        return await run_in_threadpool(identify, state.autocommit_sessions, text, now=clock())


def caller_with(scope: Scope) -> Any:  # noqa: ANN401 - FastAPI's own marker has no public type
    """Make the dependency that lets only keys with this scope through."""

    async def caller(request: Request) -> Caller:
        text = key_from_header(request.headers.get("authorization"))
        if text is None:
            raise UnauthorizedError("Send an API key: Authorization: Bearer hk_…")
        found = await caller_of(request, text)
        found.require(scope)
        return found

    return Depends(caller)


Reader = Annotated[Caller, caller_with(Scope.HEALTH_READ)]
AccountWriter = Annotated[Caller, caller_with(Scope.ACCOUNTS_WRITE)]
Admin = Annotated[Caller, caller_with(Scope.ADMIN)]
