"""Signing in by an identity provider."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from app.core.db import SessionFactory, database_slot, transaction
from app.core.encryption import DecryptionError
from app.core.errors import ForbiddenError, NotFoundError
from app.members import queries, service
from app.members.oidc import Attempt, IdentityProvider, OidcError
from app.members.tokens import hash_token
from app.web.frame.page_route import PageRoute
from app.web.frame.visits import SEE_OTHER, is_secure, local_path, origin_of, session_cookie
from app.web.people.endpoints import render_signed_out, set_session_cookie

COOKIE, CONTEXT, SECONDS = "health_oidc", "oidc attempt", 600
PATH, CALLBACK = "/oidc", "/oidc/callback"

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/oidc/start")
async def start(request: Request) -> Response:
    """Send the browser to the provider; it keeps what must come back, encrypted."""
    provider, params = get_provider(request), request.query_params
    url, attempt = await run_in_threadpool(provider.begin, redirect_uri(request))
    begun = {
        **asdict(attempt),
        "next": local_path(params.get("next"), default="/"),
        "workspace": params.get("workspace", ""),
        "choose": params.get("choose", ""),
    }
    response = RedirectResponse(url, SEE_OTHER)
    encrypted = request.app.state.encryptor.encrypt(begun, context=CONTEXT)
    response.set_cookie(
        COOKIE,
        urlsafe_b64encode(encrypted).decode(),
        max_age=SECONDS,
        path=PATH,
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/oidc/callback")
async def finish(request: Request) -> Response:
    """Check the answer of the provider, and sign the member of its address in."""
    provider, state = get_provider(request), request.app.state
    begun = _begun(request)
    attempt = Attempt(begun["state"], begun["nonce"], begun["verifier"])
    now = state.clock()
    answer = dict(request.query_params)
    email = await run_in_threadpool(
        provider.finish, redirect_uri(request), answer, attempt, now=now
    )
    if begun["choose"]:
        async with database_slot(request):
            workspaces = await run_in_threadpool(_list_workspaces, state.sessions, email)
        return render_signed_out(request, "people/workspaces.html", workspaces=workspaces)
    before = session_cookie(request)
    async with database_slot(request):
        token = await run_in_threadpool(
            _sign_in, state.sessions, email, begun["workspace"], state.session_limits, now, before
        )
    response = RedirectResponse(begun["next"], SEE_OTHER)
    response.delete_cookie(COOKIE, path=PATH, secure=is_secure(request), httponly=True)
    set_session_cookie(request, response, token)
    return response


def get_provider(request: Request) -> IdentityProvider:
    provider: IdentityProvider | None = request.app.state.identity_provider
    if provider is None:
        raise NotFoundError("identity provider", "HEALTH_OIDC_ISSUER", in_workspace=False)
    return provider


def redirect_uri(request: Request) -> str:
    return f"{origin_of(request)}{CALLBACK}"


def _begun(request: Request) -> dict[str, str]:
    with suppress(DecryptionError, ValueError):
        encrypted = urlsafe_b64decode(request.cookies.get(COOKIE, ""))
        begun: dict[str, str] = request.app.state.encryptor.decrypt(encrypted, context=CONTEXT)
        return begun
    raise OidcError("This sign-in began in another browser or more than ten minutes ago.")


def _list_workspaces(sessions: SessionFactory, email: str) -> Sequence[tuple[str, str]]:
    """Return the workspaces of an address that the provider has confirmed just now."""
    with transaction(sessions) as session:
        return queries.list_workspaces_of(session, email)


def _sign_in(
    sessions: SessionFactory,
    email: str,
    workspace_id: str,
    limits: service.SessionLimits,
    now: datetime,
    before: str | None,
) -> str:
    with transaction(sessions) as session:
        members: list[Any] = [
            each
            for each in queries.list_members_by_email(session, email)
            if workspace_id in {"", each.workspace_id}
        ]
        if not members:
            raise ForbiddenError(
                f"{email} is no member of a workspace: ask an admin to invite this address.",
                code="no_member",
            )
        if before:
            queries.delete_session(session, hash_token(before))
        return service.start_session(session, members[0], limits, now=now)
