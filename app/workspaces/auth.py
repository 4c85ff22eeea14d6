"""Who is calling: an API key names exactly one workspace and says what its holder may do."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from app.core.clock import Clock, Now
from app.core.db import SessionFactory, database_slot
from app.core.errors import ForbiddenError, UnauthorizedError
from app.core.http.language import check_media_type, check_query
from app.core.schemas import Id
from app.workspaces import keys, queries
from app.workspaces.keys import Scope
from app.workspaces.service import Actor

CACHE_SECONDS = 1.0
ACCOUNT_ID_PARAMETER = "account_id"


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
    semantic_events: Mapping[str, Sequence[str]]
    expires_at: datetime | None
    changed_ids: queries.IdChangeFlags

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

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


def authenticate(sessions: SessionFactory, text: str, *, now: datetime) -> Caller:
    """Find the key's workspace and what it may do."""
    key_id = keys.parse_key_id(text)
    asked_at = monotonic()
    with sessions() as session:
        stored = queries.find_stored_key(session, key_id) if key_id else None
        if stored is None or not keys.matches(text, stored.key_hash):
            raise UnauthorizedError("This API key is unknown.")
        if stored.revoked_at or (stored.expires_at and stored.expires_at <= now):
            raise UnauthorizedError("This API key is revoked or has expired.")
        if stored.last_used_at is None or stored.last_used_at < now - queries.LAST_USED_INTERVAL:
            queries.mark_key_used(session, stored.id, now=now)
    return Caller(
        stored.workspace_id,
        stored.id,
        frozenset(stored.scopes),
        stored.base_currency,
        stored.end_customer_keys,
        stored.reach_property,
        stored.internal_domains,
        stored.semantic_events,
        stored.expires_at,
        queries.IdChangeFlags(stored.erasure_key, stored.has_aliases, asked_at),
    )


class CallerCache:
    """Callers of the last second, so that not every request of a busy key asks the database.

    A key that is revoked in this process ends at once, in others within the second.
    """

    def __init__(self, *, seconds: float = CACHE_SECONDS, size: int = 10_000) -> None:
        self._seconds, self._size = seconds, size
        self._callers: dict[bytes, tuple[float, Caller]] = {}

    def find(self, text: str, *, now: datetime) -> Caller | None:
        until, caller = self._callers.get(keys.hash_key(text), (0.0, None))
        if caller is None or until < monotonic() or caller.has_expired(now):
            return None
        return caller

    def learn(self, text: str, caller: Caller) -> None:
        if len(self._callers) >= self._size:
            self._callers.clear()
        self._callers[keys.hash_key(text)] = (monotonic() + self._seconds, caller)

    def forget(self) -> None:
        self._callers.clear()


async def get_caller(request: Request, text: str) -> Caller:
    state: Any = request.app.state
    known: CallerCache = state.known_callers
    caller = known.find(text, now=state.clock())
    if caller is None:
        caller = await load_caller(request, text)
        known.learn(text, caller)
    return caller


async def load_caller(request: Request, text: str) -> Caller:
    state: Any = request.app.state
    clock: Clock = state.clock
    async with database_slot(request):
        return await run_in_threadpool(authenticate, state.autocommit_sessions, text, now=clock())


async def _follow(request: Request, caller: Caller) -> None:
    """Let the old id of an account lead to the account, on every route whose path names one."""
    named = request.path_params[ACCOUNT_ID_PARAMETER]
    request.path_params[ACCOUNT_ID_PARAMETER] = await _current_id(request, caller, named)


async def _current_id(request: Request, caller: Caller, account_id: str) -> str:
    state: Any = request.app.state
    async with database_slot(request):
        found: str = await run_in_threadpool(
            state.current_account_id, state.autocommit_sessions, caller.workspace_id, account_id
        )
        return found


def require_scope(scope: Scope) -> Any:  # noqa: ANN401 - FastAPI's own marker has no public type
    """Make the dependency that lets only keys with this scope through."""

    async def caller(request: Request) -> Caller:
        text = key_from_header(request.headers.get("authorization"))
        if text is None:
            raise UnauthorizedError("Send an API key: Authorization: Bearer hk_…")
        if scope is Scope.ADMIN:  # it may change what is known of any caller
            request.app.state.known_callers.forget()
            found = await load_caller(request, text)
        else:
            found = await get_caller(request, text)
        found.require(scope)
        check_query(request)
        check_media_type(request)
        if found.changed_ids.has_aliases and ACCOUNT_ID_PARAMETER in request.path_params:
            await _follow(request, found)
        return found

    return Depends(caller)


def actor_from(caller: Any) -> Any:  # noqa: ANN401 - the dependency of ``caller_with``
    """Make the dependency that says who changes something, where and when."""

    async def change(now: Now, by: Caller = caller) -> Actor:
        return Actor(by.workspace_id, by.actor, now)

    return Depends(change)


ACCOUNT_WRITER = require_scope(Scope.ACCOUNTS_WRITE)
ALERT_WRITER = require_scope(Scope.ALERTS_WRITE)
WEBHOOK_WRITER = require_scope(Scope.WEBHOOKS_WRITE)
ADMIN = require_scope(Scope.ADMIN)

Reader = Annotated[Caller, require_scope(Scope.HEALTH_READ)]
AccountWriter = Annotated[Caller, ACCOUNT_WRITER]
WebhookWriter = Annotated[Caller, WEBHOOK_WRITER]
Admin = Annotated[Caller, ADMIN]

AccountActor = Annotated[Actor, actor_from(ACCOUNT_WRITER)]
AlertActor = Annotated[Actor, actor_from(ALERT_WRITER)]
WebhookActor = Annotated[Actor, actor_from(WEBHOOK_WRITER)]
AdminActor = Annotated[Actor, actor_from(ADMIN)]


async def _asked_account(
    request: Request,
    caller: Reader,
    account_id: Annotated[Id | None, Query(description="Only those of this account.")] = None,
) -> str | None:
    if account_id is None or not caller.changed_ids.has_aliases:
        return account_id
    return await _current_id(request, caller, account_id)


AccountIdFilter = Annotated[str | None, Depends(_asked_account)]
"""The account that a list is asked for; an old id leads to it."""
