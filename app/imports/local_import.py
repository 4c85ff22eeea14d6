"""Import a local file in the process of a command; the same command resumes it."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.clock import Clock
from app.core.db import SessionFactory, transaction
from app.core.pagination import Paging
from app.imports import queries, service
from app.imports.errors import RowError
from app.imports.files import LocalFile, compute_fingerprint
from app.imports.import_job import Importer
from app.imports.mapping import MappingError
from app.imports.plan import ImportPlan
from app.imports.records import CsvReader, read_header
from app.imports.row_results import find_warnings
from app.imports.tables import ImportRowError
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.runner import JobRunner
from app.jobs.tables import JobState
from app.workspaces.service import Actor

ERROR_COLUMNS = ("line", "code", "message")
MAX_SHOWN_ERRORS = 5
MAX_LOOKUP_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class LocalImportResult:
    """How an import ended, with its first errors. ``warnings``: code to the number of rows."""

    state: JobState
    error: str | None
    progress: Mapping[str, Any]
    first_errors: Sequence[ImportRowError]
    warnings: Mapping[str, int]


class ErrorFile:
    """A CSV file of all row errors. Errors of a page that was not committed are overwritten."""

    def __init__(self, path: Path, *, committed: int) -> None:
        """Keep the first ``committed`` errors of an existing file, which an earlier run wrote."""
        self.path = path
        self._last = (-1, 0)
        rows: list[list[str]] = []
        if committed and path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))[1 : committed + 1]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([ERROR_COLUMNS, *rows])

    def write(self, before: int, errors: Sequence[RowError]) -> None:
        """Write the errors of a page after the first ``before`` errors. Idempotent for a page."""
        with self.path.open("r+", encoding="utf-8", newline="") as file:
            end = file.seek(0, 2)
            start = self._last[1] if before == self._last[0] else end
            file.seek(start)
            file.truncate()
            csv.writer(file).writerows((each.line, each.code, each.message) for each in errors)
        self._last = (before, start)


def import_file(
    sessions: SessionFactory,
    workspace_id: str,
    path: Path,
    plan: ImportPlan,
    *,
    clock: Clock,
    on_page: Callable[[Mapping[str, Any]], None],
    errors: Path | None = None,
) -> LocalImportResult:
    """Import a file to its end. An unfinished import of the same file is resumed."""
    source = LocalFile(path)
    plan.check(source)
    fingerprint = compute_fingerprint(source.blocks(0))
    actor, kind = Actor(workspace_id, "cli", clock()), service.LOCAL_JOB
    with transaction(sessions) as session:
        job, _ = service.start_import(session, actor, plan, fingerprint, kind=kind)
    claimed = jobs.take_over(sessions, workspace_id, job.id, now=clock())
    importer = Importer(source, on_page=on_page)
    if errors is not None:
        importer.on_errors = ErrorFile(errors, committed=claimed.progress["rejected"]).write
    runner = JobRunner(sessions, {kind: importer}, claimed)
    try:
        while runner.job is not None:
            runner.step(clock())
    finally:
        importer.close()
    return _result(sessions, workspace_id, job.id, now=clock())


def _result(
    sessions: SessionFactory, workspace_id: str, import_id: str, *, now: datetime
) -> LocalImportResult:
    with transaction(sessions) as session:
        service.finish_ended_imports(session, now=now)
        job = job_queries.get_job(session, workspace_id, import_id)
        shown = Paging(MAX_SHOWN_ERRORS, None)
        first = queries.list_errors(session, workspace_id, import_id, shown)
        inclusive_ends = job.config.get("inclusive_ends", False)
        warnings = find_warnings(job.progress, inclusive_ends=inclusive_ends)
        return LocalImportResult(JobState(job.state), job.error, job.progress, first.rows, warnings)


def read_lookup(path: Path) -> dict[str, str]:
    """Read a CSV file of two columns, a value and its replacement, below a header."""
    source = LocalFile(path)
    header = read_header(source)
    if len(header.columns) < 2:  # noqa: PLR2004 - a value and its replacement
        raise MappingError(f"{path.name} needs a second column, with replacements of the values.")
    reader = CsvReader(source, header, list, offset=None, line=None)
    return {cells[0]: cells[1] for cells in reader.read_page(MAX_LOOKUP_ROWS).records}
