"""Commands for workspaces and API keys."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from app.cli.opened import console, day_of, find_key, find_workspace, opened
from app.core.db import transaction
from app.workspaces import queries, service
from app.workspaces.keys import Scope
from app.workspaces.service import Actor

ACTOR = "cli"

workspace_app = typer.Typer(help="Workspaces.", no_args_is_help=True)
key_app = typer.Typer(help="API keys.", no_args_is_help=True)
WorkspaceOption = Annotated[str, typer.Option("--workspace", "-w", help="Id of the workspace.")]


@workspace_app.command("create")
def create_workspace(name: str) -> None:
    """Create a workspace, and print a write key and a read key, once."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        made = service.create_workspace(session, name, actor=ACTOR, now=clock())
        by = Actor(made.id, ACTOR, clock())
        write, read = service.create_write_and_read_key(session, by)
    console.print(f"workspace: {made.id}", highlight=False)
    for purpose, key in (("write", write), ("read", read)):
        console.print(f"{purpose} key: {key.text}", highlight=False, soft_wrap=True)


@key_app.command("create")
def create_key(
    workspace: WorkspaceOption,
    scope: Annotated[list[Scope], typer.Option(help="What the key may do; repeat it.")],
    name: str = "key",
    expires_in_days: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """Create a key, and print it, once."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        found = find_workspace(session, workspace)
        by = Actor(found.id, ACTOR, clock())
        ends = by.at + timedelta(days=expires_in_days) if expires_in_days else None
        key = service.create_key(session, by, name=name, scopes=scope, expires_at=ends)
    console.print(key.text, highlight=False, soft_wrap=True)


@key_app.command("list")
def list_keys(workspace: WorkspaceOption) -> None:
    """List a workspace's keys."""
    table = Table("id", "name", "scopes", "created", "expires", "revoked", "last used")
    with opened() as (sessions, _, _), transaction(sessions) as session:
        for key in queries.list_keys(session, find_workspace(session, workspace).id):
            instants = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
            table.add_row(key.id, key.name, " ".join(key.scopes), *map(day_of, instants))
    console.print(table)


@key_app.command("revoke")
def revoke_key(key_id: str) -> None:
    """End a key at once."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        key = find_key(session, key_id)
        service.revoke_key(session, Actor(key.workspace_id, ACTOR, clock()), key)
    console.print(f"Key {key_id} is revoked.", highlight=False)


@key_app.command("rotate")
def rotate_key(
    key_id: str, overlap_hours: Annotated[float, typer.Option(min=0, max=720)] = 24
) -> None:
    """Print a successor, once; the old key works on for the overlap."""
    with opened() as (sessions, clock, _), transaction(sessions) as session:
        old, overlap = find_key(session, key_id), timedelta(hours=overlap_hours)
        by = Actor(old.workspace_id, ACTOR, clock())
        key = service.rotate_key(session, by, old, overlap=overlap)
    console.print(key.text, highlight=False, soft_wrap=True)
