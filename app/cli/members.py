"""Commands for members: the people who use the page."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.admin import WorkspaceOption
from app.members.roles import Role

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.members.tables import Member

member_app = typer.Typer(
    help="Invite and manage the people who use the page.", no_args_is_help=True
)


@member_app.command("invite")
def invite_member(
    email: str,
    workspace: WorkspaceOption,
    role: Annotated[Role, typer.Option(help="What the member may do.")] = Role.MEMBER,
    name: Annotated[str, typer.Option(help="By default the e-mail address.")] = "",
) -> None:
    """Add a member and print a sign-in link, which works once, for seven days."""
    from pydantic import ValidationError

    from app.cli.runtime import ACTOR, open_transaction
    from app.core.errors import UnprocessableError
    from app.members import service
    from app.members.schemas import MemberIn
    from app.workspaces.queries import get_workspace
    from app.workspaces.service import Actor

    try:
        checked = MemberIn(email=email, name=name or email, role=role)
    except ValidationError:
        raise UnprocessableError(
            f"{email} is no e-mail address: write one such as kim@example.com."
        ) from None
    with open_transaction() as (session, now):
        actor = Actor(get_workspace(session, workspace).id, ACTOR, now)
        _, token = service.invite_member(session, actor, **checked.model_dump())
    _print_link(token)


@member_app.command("link")
def create_link(email: str, workspace: WorkspaceOption) -> None:
    """Print a new sign-in link for a member; it replaces an unused one."""
    from app.cli.runtime import ACTOR, open_transaction
    from app.members import service
    from app.workspaces.service import Actor

    with open_transaction() as (session, now):
        member = _get_member(session, workspace, email)
        token = service.create_link(session, Actor(workspace, ACTOR, now), member)
    _print_link(token)


@member_app.command("list")
def list_members(workspace: WorkspaceOption) -> None:
    """List the members of a workspace."""
    from app.cli.console import print_table
    from app.cli.hints import print_hint, program
    from app.cli.runtime import open_transaction
    from app.core.row_queries import list_all_rows
    from app.members.tables import Member
    from app.workspaces.queries import get_workspace

    with open_transaction() as (session, _):
        rows = [
            (each.id, each.email, each.name, each.role, f"{each.joined_at or ''}"[:16])
            for each in list_all_rows(session, get_workspace(session, workspace).id, Member)
        ]
    print_table(("id", "e-mail", "name", "role", "joined"), rows)
    if not rows:
        print_hint(f"There is no member yet: {program()} member invite EMAIL -w {workspace}")


@member_app.command("sign-out")
def sign_out(email: str, workspace: WorkspaceOption) -> None:
    """Sign a member out of every browser."""
    from app.cli.console import console
    from app.cli.runtime import ACTOR, open_transaction
    from app.members import service
    from app.workspaces.service import Actor

    with open_transaction() as (session, now):
        member = _get_member(session, workspace, email)
        service.end_sessions(session, Actor(workspace, ACTOR, now), member.id)
    console.print(f"{email} is signed out everywhere.", markup=False)


@member_app.command("remove")
def remove_member(email: str, workspace: WorkspaceOption) -> None:
    """Remove a member, with name, e-mail address and sessions."""
    from app.cli.console import console
    from app.cli.runtime import ACTOR, open_transaction
    from app.members import service
    from app.workspaces.service import Actor

    with open_transaction() as (session, now):
        member = _get_member(session, workspace, email)
        service.remove_member(session, Actor(workspace, ACTOR, now), member.id)
    console.print(f"{email} is removed.", markup=False)


def _get_member(session: "Session", workspace: str, email: str) -> "Member":
    from app.core.errors import NotFoundError
    from app.members.queries import find_member_by_email
    from app.workspaces.queries import get_workspace

    workspace_id = get_workspace(session, workspace).id
    member = find_member_by_email(session, workspace_id, email.strip().lower())
    if member is None:
        raise NotFoundError("member", email)
    return member


def _print_link(token: str) -> None:
    """Print the link alone, so that it can be piped."""
    from app.cli.console import console
    from app.cli.runtime import load_settings
    from app.serving import web_address

    settings = load_settings()
    base = settings.public_url or web_address(settings)
    console.print(f"{base}/sign-in/{token}", soft_wrap=True, markup=False)
