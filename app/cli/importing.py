"""Import a file from the command line: the plan, the progress bar, and the report."""

import gc
from pathlib import Path

from app.cli.console import console, file_bar, progress_bars
from app.cli.runtime import open_database
from app.core.db import transaction
from app.imports import local_import
from app.imports.errors import InvalidFileError
from app.imports.kinds import ImportKind
from app.imports.local_import import LocalImportResult
from app.imports.mapping import MappingError
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.imports.row_results import WARNINGS
from app.jobs.tables import JobState
from app.workspaces import queries

NDJSON_SUFFIXES = {".ndjson", ".jsonl"}


def import_file(
    kind: str,
    file: Path,
    workspace_id: str,
    *,
    mapping: list[str] | None,
    lookup: list[str] | None,
    errors: Path | None,
    dry_run: bool,
    split: str | None = None,
    inclusive_ends: bool = False,
) -> None:
    """Import a file. ``.ndjson`` and ``.jsonl``, also gzipped, are NDJSON; all others are CSV."""
    is_ndjson = NDJSON_SUFFIXES & set(file.suffixes[-2:])
    plan = ImportPlan(
        ImportKind(kind),
        FileFormat.NDJSON if is_ndjson else FileFormat.CSV,
        tuple(mapping or ()),
        _read_lookups(lookup),
        split,
        dry_run,
        inclusive_ends,
    )
    _collect_garbage_seldom()
    with open_database() as (sessions, clock, _), progress_bars() as progress:
        with transaction(sessions) as session:
            queries.get_workspace(session, workspace_id)
        result = local_import.import_file(
            sessions,
            workspace_id,
            file,
            plan,
            clock=clock,
            on_page=file_bar(progress),
            errors=errors,
        )
    _report(result, dry_run=dry_run)


def _collect_garbage_seldom() -> None:
    """Make the garbage collector run seldom: it took half of the time, and rows have no cycles."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _read_lookups(pairs: list[str] | None) -> dict[str, dict[str, str]]:
    lookups = {}
    for pair in pairs or ():
        column, _, path = pair.partition("=")
        if not Path(path).is_file():
            raise MappingError(f"--lookup {pair}: there is no file {path!r}. Use column=file.")
        lookups[column] = local_import.read_lookup(Path(path))
    return lookups


def _report(result: LocalImportResult, *, dry_run: bool) -> None:
    """Print the counts; raise if rows were rejected or the file was not read to its end."""
    done = result.progress
    console.print(
        f"{done['rows']:,} rows: {done['stored']:,} {'good' if dry_run else 'stored'},"
        f" {done['duplicates']:,} duplicates, {done['rejected']:,} rejected.",
    )
    for code, count in result.warnings.items():
        console.print(f"Warning ({count:,} rows): {WARNINGS[code]} ({code})")
    for error in result.first_errors:
        console.print(f"line {error.line}: {error.message} ({error.code})")
    if result.state is not JobState.DONE:
        raise InvalidFileError(result.error or f"The import was {result.state}.")
    if done["rejected"]:
        raise InvalidFileError(
            f"{done['rejected']:,} rows were rejected: the lines above say why, --errors FILE"
            " writes all of them to a file. Correct them and import the file again."
        )
