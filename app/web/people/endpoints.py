"""Pages of people: sign in, sign out, the own profile, members."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import UnprocessableError
from app.core.http.request_checks import read_body
from app.core.languages import Language, preferred_language
from app.core.row_queries import list_all_rows
from app.members import queries, service
from app.members.roles import Role
from app.members.schemas import MemberIn
from app.members.tables import Member
from app.members.tokens import hash_token
from app.web.frame.page_route import PageRoute, html_response
from app.web.frame.rendering import Renderer
from app.web.frame.visits import (
    COOKIE,
    MAX_FORM_BYTES,
    SECURE_COOKIE,
    SEE_OTHER,
    Administering,
    Viewing,
    Visit,
    expect_same_site,
    is_secure,
    local_path,
    session_cookie,
)

MEMBERS = "/members"

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/sign-in")
def show_sign_in(request: Request, next: str | None = None) -> Response:  # noqa: A002 - in the URL
    """Say how to get a link."""
    has_provider = request.app.state.identity_provider is not None
    values = {"next": local_path(next, default="/"), "has_provider": has_provider}
    return render_signed_out(request, "people/sign_in.html", link=None, **values)


@router.get("/sign-in/{link}")
def show_link(request: Request, link: str, session: ReadSessionDep, now: Now) -> Response:
    """Show the button that uses the link."""
    expires_at = queries.find_link(session, hash_token(link))
    if expires_at is None or expires_at <= now:
        raise service.LinkError
    return render_signed_out(request, "people/sign_in.html", link=link)


async def _same_site(request: Request) -> None:
    expect_same_site(request)
    await read_body(request, limit=MAX_FORM_BYTES)


@router.post("/sign-in/{link}", dependencies=[Depends(_same_site)])
def sign_in(request: Request, link: str, session: SessionDep, now: Now) -> Response:
    """Start a new session, whatever cookie the browser has; a session of the cookie ends."""
    token = service.use_link(session, link, request.app.state.session_limits, now=now)
    before = session_cookie(request)
    if before:
        queries.delete_session(session, hash_token(before))
    response = RedirectResponse("/", SEE_OTHER)
    set_session_cookie(request, response, token)
    return response


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    secure = is_secure(request)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        token,
        max_age=int(request.app.state.session_limits.absolute.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
    )


@router.post("/sign-out")
def sign_out(visit: Viewing, session: SessionDep) -> Response:
    """End this session."""
    queries.delete_session(session, hash_token(visit.token))
    visit.actor.audit(session, "member.signed_out", visit.person.member_id)
    return _signed_out()


@router.post("/sign-out-everywhere")
def sign_out_everywhere(visit: Viewing, session: SessionDep) -> Response:
    """End all sessions of the member, in every browser."""
    service.end_sessions(session, visit.actor, visit.person.member_id)
    return _signed_out()


def _signed_out() -> Response:
    response = RedirectResponse("/sign-in", SEE_OTHER)
    for name in (COOKIE, SECURE_COOKIE):
        response.delete_cookie(name, secure=name == SECURE_COOKIE, httponly=True, samesite="lax")
    return response


@router.get("/profile")
def show_profile(visit: Viewing) -> Response:
    has_provider = visit.request.app.state.identity_provider is not None
    values = {"languages": list(Language), "has_provider": has_provider}
    return visit.render("people/profile.html", __file__, **values)


@router.post("/profile")
def update_profile(visit: Viewing, session: SessionDep) -> Response:
    """Set the own language; an empty one is that of the browser."""
    chosen = visit.form.get("language") or None
    if chosen is not None and chosen not in list(Language):
        raise UnprocessableError("There is no such language.")
    service.update_member(session, visit.actor, visit.person.member_id, {"language": chosen})
    return visit.back("saved", default="/profile")


@router.get("/members")
def show_members(visit: Administering, session: ReadSessionDep) -> Response:
    return _members(visit, session)


@router.post("/members")
def invite_member(visit: Administering, session: SessionDep) -> Response:
    """Invite a member; show the link once."""
    form = {name: visit.form.get(name, "") for name in ("email", "name", "role")}
    form["name"] = form["name"] or form["email"]
    try:
        body = MemberIn.model_validate(form)
    except ValueError:
        raise UnprocessableError(
            "A member needs an e-mail address such as kim@example.com, a name and a role."
        ) from None
    member, token = service.invite_member(session, visit.actor, **body.model_dump())
    session.flush()
    return _members(visit, session, member=member, link=_address(visit, token))


@router.post("/members/{member_id}/link")
def create_link(member_id: str, visit: Administering, session: SessionDep) -> Response:
    """Show a new sign-in link of a member, once."""
    member = service.get_member(session, visit.workspace_id, member_id, lock=True)
    token = service.create_link(session, visit.actor, member)
    return _members(visit, session, member=member, link=_address(visit, token))


@router.post("/members/{member_id}/role")
def change_role(member_id: str, visit: Administering, session: SessionDep) -> Response:
    role = visit.form.get("role", "")
    if role not in list(Role):
        raise UnprocessableError("There is no such role.")
    service.update_member(session, visit.actor, member_id, {"role": role})
    return visit.back("saved", default=MEMBERS)


@router.post("/members/{member_id}/sign-out")
def sign_member_out(member_id: str, visit: Administering, session: SessionDep) -> Response:
    service.end_sessions(session, visit.actor, member_id)
    return visit.back("signed_out", default=MEMBERS)


@router.post("/members/{member_id}/remove")
def remove_member(member_id: str, visit: Administering, session: SessionDep) -> Response:
    service.remove_member(session, visit.actor, member_id)
    return visit.back("removed", default=MEMBERS)


def _address(visit: Visit, token: str) -> str:
    return f"{visit.origin}/sign-in/{token}"


def _members(
    visit: Visit, session: Session, *, member: Member | None = None, link: str | None = None
) -> Response:
    members = list_all_rows(session, visit.workspace_id, Member)
    return visit.render(
        "people/members.html",
        __file__,
        members=sorted(members, key=lambda each: each.email),
        invited=member,
        link=link,
        roles=list(Role),
    )


def render_signed_out(request: Request, template: str, **values: object) -> Response:
    language = preferred_language(request.headers.get("accept-language", ""))
    return html_response(
        request, Renderer(language).render(template, __file__, visit=None, **values)
    )
