"""The request of a signed-in member: who it is, what the role permits, and the form it sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from app.core.db import database_slot
from app.core.errors import ForbiddenError, UnprocessableError
from app.core.http.request_checks import read_body, trust_connection
from app.core.languages import Language, preferred_language
from app.members import service
from app.members.person import Person
from app.members.roles import Role
from app.members.tokens import csrf_token, is_csrf_token
from app.web.frame.page_route import SignInError, address_of, html_response
from app.web.frame.rendering import Renderer
from app.workspaces.service import Actor

MAX_FORM_BYTES, MAX_FORM_FIELDS = 64 * 1024, 200
COOKIE, SECURE_COOKIE = "health_session", "__Host-health_session"
SEE_OTHER = 303
LIVE_PATH, LIVE_HEADER = "/live", "x-live"
"""The stream of changes, and what a page sends when it reads itself again because of one."""


class FormError(ForbiddenError):
    code = "invalid_form"
    default_detail = (
        "This form is of an earlier session or of another site, so nothing was changed. Go back,"
        " reload the page and repeat it."
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a member. ``form``: the fields that were sent, without the form token."""

    request: Request
    person: Person
    token: str
    language: Language
    now: datetime
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def workspace_id(self) -> str:
        return self.person.workspace_id

    @property
    def currency(self) -> str:
        return self.person.base_currency

    @property
    def actor(self) -> Actor:
        return Actor(self.workspace_id, self.person.name, self.now)

    @property
    def may_act(self) -> bool:
        return self.person.role.includes(Role.MEMBER)

    @property
    def is_admin(self) -> bool:
        return self.person.role.includes(Role.ADMIN)

    @property
    def csrf(self) -> str:
        return csrf_token(self.token)

    @property
    def origin(self) -> str:
        """The address of this service, as the browser has it."""
        return origin_of(self.request)

    @property
    def here(self) -> str:
        """The address of this page, to return to after an act."""
        return address_of(self.request)

    @property
    def done(self) -> str:
        """What the act before this page did: the name of a message."""
        return self.request.query_params.get("done", "")

    def render(self, template: str, catalogue_file: str, **values: object) -> Response:
        page = Renderer(self.language).render(template, catalogue_file, visit=self, **values)
        return html_response(self.request, page)

    def back(self, done: str, *, default: str) -> RedirectResponse:
        """Return to the page of the form, which shows what was done."""
        path = local_path(self.form.get("back"), default=default)
        parts = urlsplit(path)
        query = [each for each in parse_qsl(parts.query) if each[0] != "done"]
        return RedirectResponse(f"{parts.path}?{urlencode([*query, ('done', done)])}", SEE_OTHER)


def local_path(path: str | None, *, default: str) -> str:
    """Return a path of this site; the default for anything else, such as an address elsewhere.

    Browsers read a backslash as a slash and ignore control characters: both could lead elsewhere.
    """
    text = path or ""
    is_local = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if is_local and "\\" not in text and " " not in text else default


def origin_of(request: Request) -> str:
    host = request.headers.get("host", "")
    return request.app.state.public_url or f"{request.url.scheme}://{host}"


def is_secure(request: Request) -> bool:
    public_url = request.app.state.public_url or ""
    return public_url.startswith("https://") or request.url.scheme == "https"


def session_cookie(request: Request) -> str | None:
    return request.cookies.get(SECURE_COOKIE if is_secure(request) else COOKIE)


def expect_same_site(request: Request) -> None:
    """Refuse a form that another site sent, also before there is a session."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    own = {f"{request.url.scheme}://{request.headers.get('host')}", request.app.state.public_url}
    if site not in {"same-origin", "none"} or (origin is not None and origin not in own):
        raise FormError


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form: plain, without files, each name once."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise FormError
    body = await read_body(request, limit=MAX_FORM_BYTES)
    try:
        fields = dict(
            parse_qsl(
                body.decode(),
                keep_blank_values=True,
                max_num_fields=MAX_FORM_FIELDS,
                strict_parsing=bool(body),
            )
        )
    except ValueError:
        raise UnprocessableError("The form cannot be read: reload the page.") from None
    if any("\x00" in value for value in fields.values()):
        raise UnprocessableError("A field has a character that cannot be stored: remove it.")
    return fields


async def find_person(request: Request, token: str, now: datetime) -> Person | None:
    state: Any = request.app.state
    by_itself = LIVE_HEADER in request.headers or request.url.path == LIVE_PATH
    async with database_slot(request):
        return await run_in_threadpool(
            service.find_person,
            state.autocommit_sessions,
            token,
            state.session_limits,
            now=now,
            is_use=not by_itself,
        )


@dataclass(frozen=True, slots=True)
class VisitCheck:
    """A dependency that requires a session and a role, and for an act its form."""

    role: Role

    async def __call__(self, request: Request) -> Visit:
        now: datetime = request.app.state.clock()
        token = session_cookie(request)
        person = await find_person(request, token, now) if token else None
        if person is None or token is None:
            raise SignInError
        accepted = preferred_language(request.headers.get("accept-language", ""))
        language = person.language or accepted
        request.scope["page_language"] = language
        trust_connection(request)
        person.require(self.role)
        form: dict[str, str] = {}
        if request.method != "GET":
            expect_same_site(request)
            form = await read_form(request)
            if not is_csrf_token(form.pop("csrf", ""), token):
                raise FormError
        await _replace_old_id(request, person)
        return Visit(request, person, token, language, now, form)


async def _replace_old_id(request: Request, person: Person) -> None:
    """Replace the id of an account that was renamed or merged by its current id."""
    path, state = request.path_params, request.app.state
    if person.has_aliases and "account_id" in path:
        async with database_slot(request):
            path["account_id"] = await run_in_threadpool(
                state.current_account_id,
                state.autocommit_sessions,
                person.workspace_id,
                path["account_id"],
            )


Viewing = Annotated[Visit, Depends(VisitCheck(Role.VIEWER))]
Acting = Annotated[Visit, Depends(VisitCheck(Role.MEMBER))]
Administering = Annotated[Visit, Depends(VisitCheck(Role.ADMIN))]
