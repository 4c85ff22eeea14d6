"""Commands for workspaces and API keys."""

from typing import Annotated

import typer

from app.workspaces.keys import Scope

workspace_app = typer.Typer(help="Create workspaces.", no_args_is_help=True)
key_app = typer.Typer(help="Manage API keys.", no_args_is_help=True)
WorkspaceOption = Annotated[str, typer.Option("--workspace", "-w", help="Id of the workspace.")]


@workspace_app.command("create")
def create_workspace(name: str) -> None:
    """Create a workspace; print a write key and a read key, which are shown only once."""
    from app.cli.runtime import ACTOR, console, open_database
    from app.core.db import transaction
    from app.workspaces import service

    with open_database() as (sessions, clock, _), transaction(sessions) as session:
        workspace = service.create_workspace(session, name, actor_name=ACTOR, now=clock())
        actor = service.Actor(workspace.id, ACTOR, clock())
        write, read = service.create_write_and_read_key(session, actor)
    console.print(f"workspace: {workspace.id}", highlight=False)
    for purpose, key in (("write", write), ("read", read)):
        console.print(f"{purpose} key: {key.text}", highlight=False, soft_wrap=True)


@key_app.command("create")
def create_key(
    workspace: WorkspaceOption,
    scope: Annotated[list[Scope], typer.Option(help="What the key may do; repeatable.")],
    name: str = "key",
    expires_in_days: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """Create an API key and print it; it is shown only once."""
    from datetime import timedelta

    from app.cli.runtime import ACTOR, console, get_workspace, open_database
    from app.core.db import transaction
    from app.workspaces import service

    with open_database() as (sessions, clock, _), transaction(sessions) as session:
        actor = service.Actor(get_workspace(session, workspace).id, ACTOR, clock())
        expires_at = actor.at + timedelta(days=expires_in_days) if expires_in_days else None
        key = service.create_key(session, actor, name=name, scopes=scope, expires_at=expires_at)
    console.print(key.text, highlight=False, soft_wrap=True)


@key_app.command("list")
def list_keys(workspace: WorkspaceOption) -> None:
    """List the API keys of a workspace."""
    from rich.table import Table

    from app.cli.runtime import console, format_minute, get_workspace, open_database
    from app.core.db import transaction
    from app.workspaces import queries

    table = Table("id", "name", "scopes", "created", "expires", "revoked", "last used")
    with open_database() as (sessions, _, _), transaction(sessions) as session:
        for key in queries.list_keys(session, get_workspace(session, workspace).id):
            instants = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
            table.add_row(key.id, key.name, " ".join(key.scopes), *map(format_minute, instants))
    console.print(table)


@key_app.command("revoke")
def revoke_key(key_id: str) -> None:
    """Revoke an API key at once."""
    from app.cli.runtime import ACTOR, console, get_key, open_database
    from app.core.db import transaction
    from app.workspaces import service

    with open_database() as (sessions, clock, _), transaction(sessions) as session:
        key = get_key(session, key_id)
        service.revoke_key(session, service.Actor(key.workspace_id, ACTOR, clock()), key)
    console.print(f"Key {key_id} is revoked.", highlight=False)


@key_app.command("rotate")
def rotate_key(
    key_id: str, overlap_hours: Annotated[float, typer.Option(min=0, max=720)] = 24
) -> None:
    """Print a new key with the same scopes, once; the old key works until the overlap ends."""
    from datetime import timedelta

    from app.cli.runtime import ACTOR, console, get_key, open_database
    from app.core.db import transaction
    from app.workspaces import service

    with open_database() as (sessions, clock, _), transaction(sessions) as session:
        old = get_key(session, key_id)
        actor = service.Actor(old.workspace_id, ACTOR, clock())
        key = service.rotate_key(session, actor, old, overlap=timedelta(hours=overlap_hours))
    console.print(key.text, highlight=False, soft_wrap=True)
