"""Commands that bring data in, and score it."""

import gc
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app import pipeline
from app.cli.admin import WorkspaceOption
from app.cli.opened import bars, console, file_bar, find_workspace, opened
from app.core.db import SessionFactory, transaction
from app.demo.load import score_everyone
from app.imports import local_import
from app.imports.errors import InvalidFileError
from app.imports.kinds import ImportKind
from app.imports.local_import import LocalImportResult
from app.imports.mapping import MappingError
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.jobs.states import JobState

REFRESH_AT_ONCE = 2000
NDJSON_ENDINGS = {".ndjson", ".jsonl"}

refresh_some = partial(pipeline.refresh_due, limit=REFRESH_AT_ONCE, few=REFRESH_AT_ONCE)
import_app = typer.Typer(help="Import CSV or NDJSON files, plain or gzipped.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        "-m",
        help="field=column, field={template}, or field=column[other=value]; none: columns that"
        " are named like fields.",
    ),
]
LookupOption = Annotated[
    list[str] | None,
    typer.Option("--lookup", help="column=file: translate a column by a table of two."),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Read and judge every row, store nothing.")
]
ErrorsOption = Annotated[
    Path | None, typer.Option("--errors", dir_okay=False, help="Write all bad rows to this file.")
]
SplitOption = Annotated[str | None, typer.Option(help="The event name is several, joined so.")]


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
    """Import events as history; the same file again changes nothing."""
    plan = to_plan(ImportKind.EVENTS, file, mapping, lookup, dry_run=dry_run, split=split)
    import_file(file, workspace, plan, errors)


def _import_rows(kind: ImportKind, summary: str) -> None:
    """Add a command that imports rows of one table."""

    @import_app.command(kind.value, help=summary)
    def command(
        file: FileArgument,
        workspace: WorkspaceOption,
        mapping: MapOption = None,
        lookup: LookupOption = None,
        errors: ErrorsOption = None,
        *,
        dry_run: DryRunOption = False,
    ) -> None:
        plan = to_plan(kind, file, mapping, lookup, dry_run=dry_run)
        import_file(file, workspace, plan, errors)


_import_rows(ImportKind.SUBSCRIPTIONS, "Import paid periods.")
_import_rows(ImportKind.ACCOUNTS, "Import accounts.")
_import_rows(ImportKind.USERS, "Import people, and the accounts that they belong to.")


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


def to_plan(
    kind: ImportKind,
    file: Path,
    mapping: list[str] | None,
    lookup: list[str] | None,
    *,
    dry_run: bool,
    split: str | None = None,
) -> ImportPlan:
    """Tell the format by the file's name: ``.ndjson`` and ``.jsonl``, also gzipped, else CSV."""
    is_ndjson = NDJSON_ENDINGS & set(file.suffixes[-2:])
    return ImportPlan(
        kind,
        FileFormat.NDJSON if is_ndjson else FileFormat.CSV,
        tuple(mapping or ()),
        lookups(lookup),
        split,
        dry_run,
    )


def import_file(file: Path, workspace: str, plan: ImportPlan, errors: Path | None) -> None:
    collect_garbage_seldom()
    with opened() as (sessions, clock, _), bars() as progress:
        known(sessions, workspace)
        ended = local_import.import_file(
            sessions,
            workspace,
            file,
            plan,
            clock=clock,
            on_page=file_bar(progress),
            errors=errors,
        )
    report(ended, dry_run=plan.dry_run)


def collect_garbage_seldom() -> None:
    """Rows make many objects and no cycles: looking for some took half of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def known(sessions: SessionFactory, workspace_id: str) -> None:
    with transaction(sessions) as session:
        find_workspace(session, workspace_id)


def lookups(pairs: list[str] | None) -> dict[str, dict[str, str]]:
    found = {}
    for pair in pairs or ():
        column, _, path = pair.partition("=")
        if not Path(path).is_file():
            raise MappingError(f"There is no file {path!r}.")
        found[column] = local_import.read_lookup(Path(path))
    return found


def report(ended: LocalImportResult, *, dry_run: bool) -> None:
    """Print what became of the rows; bad ones, and a file that was not read to its end, exit 1."""
    done = ended.progress
    console.print(
        f"{done['rows']:,} rows: {done['stored']:,} {'good' if dry_run else 'stored'},"
        f" {done['duplicates']:,} duplicates, {done['rejected']:,} rejected.",
        highlight=False,
    )
    for error in ended.first_errors:
        console.print(f"line {error.line}: {error.message} ({error.code})", highlight=False)
    if ended.state is not JobState.DONE:
        raise InvalidFileError(ended.error or f"The import was {ended.state}.")
    if done["rejected"]:
        raise InvalidFileError(f"{done['rejected']:,} rows could not be used.")
