"""Commands that bring data in, and score it."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app import pipeline
from app.cli.admin import WorkspaceOption
from app.cli.opened import bars, console, file_bar, find_workspace, opened
from app.core.db import Sessions, transaction
from app.demo.load import score_everyone
from app.imports import files
from app.imports import service as imports
from app.imports.mapping import ColumnMapping, MappingError

REFRESH_AT_ONCE = 2000

refresh_some = partial(pipeline.refresh_due, limit=REFRESH_AT_ONCE, few=REFRESH_AT_ONCE)
import_app = typer.Typer(help="Import CSV files, plain or gzipped.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
MapOption = Annotated[
    list[str],
    typer.Option(
        "--map", "-m", help="field=column, field={template}, or field=column[other=value]."
    ),
]
LookupOption = Annotated[
    list[str] | None,
    typer.Option("--lookup", help="column=file: translate a column by a table of two."),
]


@import_app.command("events")
def import_events(
    file: FileArgument,
    workspace: WorkspaceOption,
    mapping: MapOption,
    lookup: LookupOption = None,
    split: Annotated[str | None, typer.Option(help="The event name is several, joined so.")] = None,
) -> None:
    """Import events as history; the same file again changes nothing."""
    with opened() as (sessions, clock, _), bars() as progress:
        target = to_target(sessions, workspace, clock())
        rules = ColumnMapping.parse(mapping, lookups(lookup))
        tally = imports.import_events(target, file, rules, file_bar(progress), split=split)
    report(tally)


@import_app.command("subscriptions")
def import_subscriptions(
    file: FileArgument,
    workspace: WorkspaceOption,
    mapping: MapOption,
    lookup: LookupOption = None,
) -> None:
    """Import paid periods."""
    with opened() as (sessions, clock, _), bars() as progress:
        target = to_target(sessions, workspace, clock())
        rules = ColumnMapping.parse(mapping, lookups(lookup))
        tally = imports.import_subscriptions(target, file, rules, file_bar(progress))
    report(tally)


@import_app.command("accounts")
def import_accounts(file: FileArgument, workspace: WorkspaceOption, mapping: MapOption) -> None:
    """Import accounts."""
    with opened() as (sessions, clock, _), bars() as progress:
        target = to_target(sessions, workspace, clock())
        rules = ColumnMapping.parse(mapping)
        tally = imports.import_accounts(target, file, rules, file_bar(progress))
    report(tally)


def refresh(
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="With --as-of: whose accounts.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Write history for a past day.")
    ] = None,
) -> None:
    """Score what is due, or everything as of a past day."""
    with opened() as (sessions, clock, _), bars() as progress:
        task = progress.add_task("scoring accounts", total=None, note="")
        done = 0
        if as_of is not None:
            with transaction(sessions) as session:
                found = find_workspace(session, workspace or "")
            done = score_everyone(sessions, found.id, as_of=as_of.date(), now=clock())
        else:
            while count := refresh_some(sessions, now=clock()):
                done += count
                progress.update(task, completed=done)
    console.print(f"{done} accounts scored.", highlight=False)


def to_target(sessions: Sessions, workspace_id: str, now: datetime) -> imports.Target:
    with transaction(sessions) as session:
        return imports.Target(sessions, find_workspace(session, workspace_id), now)


def lookups(pairs: list[str] | None) -> dict[str, dict[str, str]]:
    found = {}
    for pair in pairs or ():
        column, _, path = pair.partition("=")
        if not Path(path).is_file():
            raise MappingError(f"There is no file {path!r}.")
        found[column] = files.lookup(Path(path))
    return found


def report(tally: imports.Tally) -> None:
    console.print(
        f"{tally.rows:,} rows: {tally.stored:,} stored, {tally.duplicates:,} duplicates, "
        f"{tally.rejected:,} rejected.",
        highlight=False,
    )
    if tally.first_error:
        raise MappingError(tally.first_error)
