"""Commands for workspaces and API keys."""

from typing import Annotated

import typer

from app.workspaces.keys import Scope

workspace_app = typer.Typer(help="Create and list workspaces.", no_args_is_help=True)
key_app = typer.Typer(help="Manage API keys.", no_args_is_help=True)
WorkspaceOption = Annotated[str, typer.Option("--workspace", "-w", help="Id of the workspace.")]


@workspace_app.command("create")
def create_workspace(name: str) -> None:
    """Create a workspace; print a write key and a read key, which are shown only once."""
    from app.cli.console import console
    from app.cli.runtime import ACTOR, open_transaction
    from app.workspaces import service

    with open_transaction() as (session, now):
        workspace = service.create_workspace(session, name, actor_name=ACTOR, now=now)
        actor = service.Actor(workspace.id, ACTOR, now)
        write, read = service.create_write_and_read_key(session, actor)
    console.print(f"workspace: {workspace.id}")
    for purpose, key in (("write", write), ("read", read)):
        console.print(f"{purpose} key: {key.text}", soft_wrap=True)


@workspace_app.command("list")
def list_workspaces() -> None:
    """List the workspaces by id."""
    from app.cli.console import print_table
    from app.cli.hints import print_hint, program
    from app.cli.runtime import open_transaction
    from app.workspaces import queries

    with open_transaction() as (session, _):
        rows = [
            (each.id, each.name, each.created_at.isoformat(timespec="minutes"))
            for each in queries.list_workspaces(session)
        ]
    print_table(("id", "name", "created"), rows)
    if not rows:
        print_hint(f"There is no workspace yet. Create one: {program()} workspace create NAME")


@key_app.command("create")
def create_key(
    workspace: WorkspaceOption,
    scope: Annotated[list[Scope], typer.Option(help="What the key may do; repeatable.")],
    name: str = "key",
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=36_500)] = None,
) -> None:
    """Create an API key and print it; it is shown only once."""
    from datetime import timedelta

    from app.cli.console import console
    from app.cli.runtime import ACTOR, open_transaction
    from app.workspaces import queries, service

    with open_transaction() as (session, now):
        actor = service.Actor(queries.get_workspace(session, workspace).id, ACTOR, now)
        expires_at = now + timedelta(days=expires_in_days) if expires_in_days else None
        key = service.create_key(session, actor, name=name, scopes=scope, expires_at=expires_at)
    console.print(key.text, soft_wrap=True)


@key_app.command("list")
def list_keys(workspace: WorkspaceOption) -> None:
    """List the API keys of a workspace."""
    from app.cli.console import print_table
    from app.cli.hints import print_hint, program
    from app.cli.runtime import open_transaction
    from app.workspaces import queries

    rows = []
    with open_transaction() as (session, _):
        for key in queries.list_keys(session, queries.get_workspace(session, workspace).id):
            instants = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
            minutes = (at.isoformat(timespec="minutes") if at else "" for at in instants)
            rows.append((key.id, key.name, " ".join(key.scopes), *minutes))
    print_table(("id", "name", "scopes", "created", "expires", "revoked", "last used"), rows)
    if not rows:
        print_hint(
            f"There is no key yet. Create one: {program()} key create -w {workspace} --scope SCOPE"
        )


@key_app.command("revoke")
def revoke_key(key_id: str) -> None:
    """Revoke an API key at once."""
    from app.cli.console import console
    from app.cli.runtime import ACTOR, open_transaction
    from app.workspaces import queries, service

    with open_transaction() as (session, now):
        key = queries.get_key_of_any_workspace(session, key_id)
        service.revoke_key(session, service.Actor(key.workspace_id, ACTOR, now), key)
    console.print(f"Key {key_id} is revoked.")


@key_app.command("rotate")
def rotate_key(
    key_id: str, overlap_hours: Annotated[float, typer.Option(min=0, max=720)] = 24
) -> None:
    """Print a new key with the same scopes, once; the old key works until the overlap ends."""
    from datetime import timedelta

    from app.cli.console import console
    from app.cli.runtime import ACTOR, open_transaction
    from app.workspaces import queries, service

    with open_transaction() as (session, now):
        old = queries.get_key_of_any_workspace(session, key_id)
        actor = service.Actor(old.workspace_id, ACTOR, now)
        key = service.rotate_key(session, actor, old, overlap=timedelta(hours=overlap_hours))
    console.print(key.text, soft_wrap=True)
