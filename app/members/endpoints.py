"""Routes of members, for API keys with the scope ``admin``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.row_queries import list_rows
from app.core.schemas import Id, problem_responses
from app.members import service
from app.members.schemas import InvitedMemberOut, MemberIn, MemberOut, MemberPatch
from app.members.tables import Member
from app.workspaces.auth import Admin, AdminActor
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(prefix="/api/v1/members", tags=["members"], route_class=IdempotentRoute)


async def _public_url(request: Request) -> str:
    return request.app.state.public_url or ""


PublicUrlDep = Annotated[str, Depends(_public_url)]


@router.get("", summary="List members")
def list_members(session: ReadSessionDep, caller: Admin, paging: PagingDep) -> Page[MemberOut]:
    """List the members of the workspace by id."""
    rows = list_rows(session, caller.workspace_id, Member, paging)
    return rows.to_page(MemberOut.model_validate)


@router.post("", summary="Invite a member", status_code=201, responses=problem_responses(409))
def invite_member(
    body: MemberIn, session: SessionDep, actor: AdminActor, public_url: PublicUrlDep
) -> InvitedMemberOut:
    """Add a member. Only this answer has the sign-in link: it works once, for seven days."""
    member, token = service.invite_member(
        session, actor, email=body.email, name=body.name, role=body.role
    )
    return _with_link(member, token, public_url)


@router.get("/{member_id}", summary="Get a member")
def get_member(member_id: Id, session: ReadSessionDep, caller: Admin) -> MemberOut:
    """Return a member."""
    return MemberOut.model_validate(service.get_member(session, caller.workspace_id, member_id))


@router.patch("/{member_id}", summary="Update a member")
def update_member(
    member_id: Id, body: MemberPatch, session: SessionDep, actor: AdminActor
) -> MemberOut:
    """Change the fields that are sent; the others keep their values."""
    values = body.model_dump(exclude_unset=True, mode="json")
    return MemberOut.model_validate(service.update_member(session, actor, member_id, values))


@router.delete("/{member_id}", summary="Remove a member", status_code=204)
def remove_member(member_id: Id, session: SessionDep, actor: AdminActor) -> None:
    """Delete a member, with name, e-mail address and sessions. Audit entries keep the id."""
    service.remove_member(session, actor, member_id)


@router.post("/{member_id}/link", summary="Create a sign-in link", status_code=201)
def create_sign_in_link(
    member_id: Id, session: SessionDep, actor: AdminActor, public_url: PublicUrlDep
) -> InvitedMemberOut:
    """Return a new link for a member. It replaces an unused one; sessions go on."""
    member = service.get_member(session, actor.workspace_id, member_id, lock=True)
    return _with_link(member, service.create_link(session, actor, member), public_url)


@router.post("/{member_id}/sign-out", summary="Sign a member out everywhere")
def sign_member_out(member_id: Id, session: SessionDep, actor: AdminActor) -> MemberOut:
    """End all sessions of a member at once. Idempotent."""
    return MemberOut.model_validate(service.end_sessions(session, actor, member_id))


def _with_link(member: Member, token: str, public_url: str) -> InvitedMemberOut:
    return InvitedMemberOut.from_row(member, link=f"{public_url}/sign-in/{token}")
