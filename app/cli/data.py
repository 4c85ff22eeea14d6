"""Commands that import data, compute scores and train churn models."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.admin import WorkspaceOption

REFRESH_SET = 2000

import_app = typer.Typer(help="Import CSV or NDJSON files, plain or gzipped.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        "-m",
        help=r"field=column, field={template}, or field=column\[other=value]; without it, columns"
        " that have the names of fields are used.",
    ),
]
LookupOption = Annotated[
    list[str] | None,
    typer.Option("--lookup", help="column=file: translate a column by a file of two columns."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check every row and store nothing.")]
ErrorsOption = Annotated[
    Path | None, typer.Option("--errors", dir_okay=False, help="Write rejected rows to this file.")
]
SplitOption = Annotated[
    str | None, typer.Option(help="Separator of several event names in one field.")
]


@import_app.command("events")
def import_events(
    file: FileArgument,
    workspace: WorkspaceOption,
    mapping: MapOption = None,
    lookup: LookupOption = None,
    *,
    split: SplitOption = None,
    errors: ErrorsOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Import events as history. The same file again changes nothing."""
    from app.cli.importing import import_file

    import_file(
        "events",
        file,
        workspace,
        mapping=mapping,
        lookup=lookup,
        errors=errors,
        dry_run=dry_run,
        split=split,
    )


@import_app.command("subscriptions")
def import_subscriptions(
    file: FileArgument,
    workspace: WorkspaceOption,
    mapping: MapOption = None,
    lookup: LookupOption = None,
    errors: ErrorsOption = None,
    *,
    dry_run: DryRunOption = False,
    inclusive_ends: Annotated[
        bool, typer.Option("--inclusive-ends", help="ends_on is the last paid day.")
    ] = False,
) -> None:
    """Import paid periods."""
    from app.cli.importing import import_file

    import_file(
        "subscriptions",
        file,
        workspace,
        mapping=mapping,
        lookup=lookup,
        errors=errors,
        dry_run=dry_run,
        inclusive_ends=inclusive_ends,
    )


def _add_import_command(kind: str, summary: str) -> None:
    """Add a command that imports the rows of one table."""

    @import_app.command(kind, help=summary)
    def command(
        file: FileArgument,
        workspace: WorkspaceOption,
        mapping: MapOption = None,
        lookup: LookupOption = None,
        errors: ErrorsOption = None,
        *,
        dry_run: DryRunOption = False,
    ) -> None:
        from app.cli.importing import import_file

        import_file(
            kind, file, workspace, mapping=mapping, lookup=lookup, errors=errors, dry_run=dry_run
        )


for kind, summary in (
    ("accounts", "Import accounts."),
    ("users", "Import users and the accounts that they belong to."),
):
    _add_import_command(kind, summary)


def expect_day_with_workspace(workspace: str | None, as_of: datetime | None) -> None:
    """Refuse one of both: due accounts are scored for all workspaces, a day for one."""
    if (workspace is None) != (as_of is None):
        given, missing = ("--as-of", "--workspace") if as_of else ("--workspace", "--as-of")
        raise typer.BadParameter(f"{given} needs {missing} too.")


def expect_past_day(as_of: datetime, *, now: datetime) -> None:
    if as_of.date() > now.date():
        raise typer.BadParameter(f"--as-of {as_of.date()} is in the future.")


def refresh(
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="With --as-of: whose accounts.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Write history for a past day.")
    ] = None,
) -> None:
    """Score the accounts that are due, or all accounts of a workspace as of a past day."""
    from app import pipeline
    from app.cli.console import console, progress_bars
    from app.cli.runtime import open_database
    from app.core.db import transaction
    from app.demo.load import score_all_accounts
    from app.workspaces import queries

    expect_day_with_workspace(workspace, as_of)
    with open_database() as (sessions, clock, _), progress_bars() as progress:
        task = progress.add_task("scoring accounts", total=None, note="")
        done = 0
        if as_of is not None:
            expect_past_day(as_of, now=clock())
            with transaction(sessions) as session:
                workspace_id = queries.get_workspace(session, workspace or "").id
            done = score_all_accounts(sessions, workspace_id, as_of=as_of.date(), now=clock())
        else:
            while count := pipeline.refresh_due(
                sessions, now=clock(), limit=REFRESH_SET, background_limit=REFRESH_SET
            ):
                done += count
                progress.update(task, completed=done)
    console.print(f"{done} accounts scored.")


def train(
    workspace: WorkspaceOption,
    job: Annotated[str | None, typer.Option(hidden=True)] = None,
    token: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Train a churn model; it becomes active only if it is proven on later, unseen data."""
    from app.cli import training

    training.train(workspace, job, token)
