"""The command that finds and repairs what older versions stored wrongly."""

from typing import Annotated

import typer


def doctor(
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="Only this workspace; else all.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List, and change nothing.")] = False,
) -> None:
    """List what older versions stored wrongly, and repair it where stored events tell how.

    Run it once after an upgrade, first with --dry-run; the service may run meanwhile. The exit code
    is 1 if something is left.
    """
    from app.cli.console import console, print_table
    from app.cli.runtime import open_database
    from app.core.db import transaction
    from app.doctor.checks import CHECKS
    from app.doctor.faults import Run
    from app.workspaces import queries

    rows, left = [], 0
    with open_database() as (sessions, clock, _):
        with transaction(sessions) as session:
            found = [queries.get_workspace(session, workspace)] if workspace else None
            ids = [each.id for each in found or queries.list_workspaces(session)]
        for workspace_id in ids:
            for name, check in CHECKS.items():
                for fault in check(Run(sessions, workspace_id, clock(), dry_run)):
                    outcome = fault.repair or "Nothing stored tells what is right."
                    rows.append((workspace_id, fault.account_id, name, fault.found, outcome))
                    left += dry_run or fault.repair is None
    if rows:
        print_table(("workspace", "account", "check", "found", "repair"), rows)
    counts = f"{len(rows)} faults, {len(rows) - left} repaired, {left} left"
    console.print(counts + (" (dry run: nothing was changed)." if dry_run else "."))
    if left:
        raise typer.Exit(1)
