"""Authentication: an API key names exactly one workspace and the scopes of its holder."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.core.clock import Clock, Now
from app.core.db import SessionFactory, database_slot
from app.core.errors import ForbiddenError, UnauthorizedError
from app.core.http.request_checks import check_media_type, check_query, trust_connection
from app.core.schemas import Id
from app.workspaces import keys, queries
from app.workspaces.keys import Scope
from app.workspaces.service import Actor

CACHE_SECONDS = 1.0
ACCOUNT_ID_PARAMETER = "account_id"


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a valid key. A request can reach no other workspace than this one."""

    workspace_id: str
    key_id: str
    scopes: frozenset[str]
    base_currency: str
    end_customer_keys: Sequence[str]
    reach_property: str | None
    internal_domains: Sequence[str]
    semantic_events: Mapping[str, Sequence[str]]
    expires_at: datetime | None
    id_change_flags: queries.IdChangeFlags

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    @property
    def name(self) -> str:
        """The caller's name in the audit log."""
        return f"key:{self.key_id}"

    def require(self, scope: Scope) -> None:
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise ForbiddenError(
                f"This API key does not have the scope {scope}: use one that has it."
            )


def key_from_header(authorization: str | None) -> str | None:
    """Parse ``Bearer <key>`` or ``Basic base64(<key>:)``; None without a header."""
    if not authorization:
        return None
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        with suppress(Base64Error, UnicodeDecodeError):
            return b64decode(credentials.strip(), validate=True).decode().split(":", 1)[0]
    raise UnauthorizedError(
        "The header Authorization cannot be read: send Authorization: Bearer hk_…"
    )


def authenticate(sessions: SessionFactory, text: str, *, now: datetime) -> Caller:
    """Return the caller of a key; raise UnauthorizedError if it is empty, unknown or has ended."""
    if not text:
        raise UnauthorizedError(
            "The API key is empty: send Authorization: Bearer hk_…, and check that the variable"
            " which holds the key is set."
        )
    key_id = keys.parse_key_id(text)
    read_at = monotonic()
    with sessions() as session:
        stored = queries.find_stored_key(session, key_id) if key_id else None
        if stored is None or not keys.matches(text, stored.key_hash):
            raise UnauthorizedError("The API key is unknown: send the complete key.")
        if stored.revoked_at or (stored.expires_at and stored.expires_at <= now):
            raise UnauthorizedError("The API key is revoked or has expired: use another one.")
        used_at = stored.last_used_at
        is_due = used_at is None or not now - queries.LAST_USED_INTERVAL <= used_at <= now
        if is_due and stored.read_only == "off":
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
        queries.IdChangeFlags(stored.erasure_key, stored.has_aliases, read_at),
    )


class CallerCache:
    """Callers of the last second, so that a busy key does not cost one query per request.

    A key that is revoked in this process ends at once, in other processes within the second.
    """

    def __init__(self, *, seconds: float = CACHE_SECONDS, size: int = 10_000) -> None:
        self._seconds, self._size = seconds, size
        self._callers: dict[bytes, tuple[float, Caller]] = {}

    def find(self, text: str, *, now: datetime) -> Caller | None:
        until, caller = self._callers.get(keys.hash_key(text), (0.0, None))
        if caller is None or until < monotonic() or caller.has_expired(now):
            return None
        return caller

    def store(self, text: str, caller: Caller) -> None:
        if len(self._callers) >= self._size:
            self._callers.clear()
        self._callers[keys.hash_key(text)] = (monotonic() + self._seconds, caller)

    def clear(self) -> None:
        self._callers.clear()


async def get_caller(request: Request, text: str) -> Caller:
    """Return the caller of a key, from the cache if it is there."""
    state: Any = request.app.state
    cache: CallerCache = state.caller_cache
    caller = cache.find(text, now=state.clock())
    if caller is None:
        caller = await load_caller(request, text)
        cache.store(text, caller)
    return caller


async def load_caller(request: Request, text: str) -> Caller:
    state: Any = request.app.state
    clock: Clock = state.clock
    async with database_slot(request):
        return await run_in_threadpool(authenticate, state.autocommit_sessions, text, now=clock())


async def _current_id(request: Request, caller: Caller, account_id: str) -> str:
    """Return the current id of an account that may have been renamed or merged."""
    state: Any = request.app.state
    async with database_slot(request):
        current_id: str = await run_in_threadpool(
            state.current_account_id, state.autocommit_sessions, caller.workspace_id, account_id
        )
        return current_id


@dataclass(frozen=True, slots=True)
class ScopeCheck:
    """A dependency that authenticates a request and requires a scope.

    It also checks the query and the content type, and replaces an old account id in the path by the
    current one. Requests of admins read the key afresh and clear the cache: they may change keys
    and the workspace.
    """

    scope: Scope

    async def __call__(self, request: Request) -> Caller:
        checked: dict[Scope, Caller] = request.scope.setdefault("callers", {})
        if self.scope not in checked:
            checked[self.scope] = await self._check(request)
        return checked[self.scope]

    async def _check(self, request: Request) -> Caller:
        text = key_from_header(request.headers.get("authorization"))
        if text is None:
            raise UnauthorizedError("Send an API key: Authorization: Bearer hk_…")
        is_admin = self.scope is Scope.ADMIN
        caller = await (load_caller if is_admin else get_caller)(request, text)
        caller.require(self.scope)
        if is_admin:  # only now: anybody can ask
            request.app.state.caller_cache.clear()
        trust_connection(request)
        check_query(request)
        check_media_type(request)
        path = request.path_params
        if caller.id_change_flags.has_aliases and ACCOUNT_ID_PARAMETER in path:
            path[ACCOUNT_ID_PARAMETER] = await _current_id(
                request, caller, path[ACCOUNT_ID_PARAMETER]
            )
        return caller


async def find_caller(request: Request) -> Caller | None:
    """Run the check of the route and return its caller; None if the route has no check."""
    route = request.scope.get("route")
    check = _find_check(route.dependant) if isinstance(route, APIRoute) else None
    return None if check is None else await check(request)


async def authorize(request: Request) -> None:
    """Run the check of the route, if it has one, before its body is read."""
    await find_caller(request)


def _find_check(dependant: Dependant) -> ScopeCheck | None:
    if isinstance(dependant.call, ScopeCheck):
        return dependant.call
    return next(filter(None, map(_find_check, dependant.dependencies)), None)


def actor_from(caller: Any) -> Any:  # noqa: ANN401 - FastAPI's own marker has no public type
    """Return the dependency that makes the Actor of a request."""

    async def actor(now: Now, caller: Caller = caller) -> Actor:
        return Actor(caller.workspace_id, caller.name, now)

    return Depends(actor)


ACCOUNT_WRITER = Depends(ScopeCheck(Scope.ACCOUNTS_WRITE))
ALERT_WRITER = Depends(ScopeCheck(Scope.ALERTS_WRITE))
WEBHOOK_WRITER = Depends(ScopeCheck(Scope.WEBHOOKS_WRITE))
ADMIN = Depends(ScopeCheck(Scope.ADMIN))

Reader = Annotated[Caller, Depends(ScopeCheck(Scope.HEALTH_READ))]
AccountWriter = Annotated[Caller, ACCOUNT_WRITER]
WebhookWriter = Annotated[Caller, WEBHOOK_WRITER]
Admin = Annotated[Caller, ADMIN]

AccountActor = Annotated[Actor, actor_from(ACCOUNT_WRITER)]
AlertActor = Annotated[Actor, actor_from(ALERT_WRITER)]
WebhookActor = Annotated[Actor, actor_from(WEBHOOK_WRITER)]
AdminActor = Annotated[Actor, actor_from(ADMIN)]


async def _account_id_filter(
    request: Request,
    caller: Reader,
    account_id: Annotated[Id | None, Query(description="Only items of this account.")] = None,
) -> str | None:
    if account_id is None:
        return None
    if caller.id_change_flags.has_aliases:
        account_id = await _current_id(request, caller, account_id)
    return account_id.strip()


AccountIdFilter = Annotated[str | None, Depends(_account_id_filter)]
"""The query parameter ``account_id`` of a list; an old id is replaced by the current one."""
