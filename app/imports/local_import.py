"""Import a file where it lies, in the process of a command; started again it goes on."""

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
from app.imports.tables import ImportRowError
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.runner import JobRunner
from app.jobs.states import JobState
from app.workspaces.service import Actor

ERROR_COLUMNS = ("line", "code", "message")
ACTOR = "cli"
MAX_SHOWN_ERRORS = 5
MAX_LOOKUP_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class LocalImportResult:
    """How an import ended, and its first errors."""

    state: JobState
    error: str | None
    progress: Mapping[str, Any]
    first_errors: Sequence[ImportRowError]


class ErrorFile:
    """All errors as CSV. What a page said that was not committed is written over."""

    def __init__(self, path: Path, *, kept: int) -> None:
        """Keep the errors of the pages that are done; begin anew where none are."""
        self.path = path
        self._last = (-1, 0)
        rows: list[list[str]] = []
        if kept and path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))[1 : kept + 1]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([ERROR_COLUMNS, *rows])

    def write(self, before: int, errors: Sequence[RowError]) -> None:
        """Write the errors of a page, before which there were so many; again is the same."""
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
    """Import a file to its end; an import of it that did not come to its end is gone on with."""
    source = LocalFile(path)
    plan.check(source)
    content = compute_fingerprint(source.blocks(0))
    with transaction(sessions) as session:
        job, _ = service.start_import(
            session,
            Actor(workspace_id, ACTOR, clock()),
            plan,
            content,
            kind=service.LOCAL_JOB,
            again_after={JobState.DONE},
        )
    work = jobs.take_over(sessions, workspace_id, job.id, now=clock())
    importer = Importer(source, on_page=on_page)
    if errors is not None:
        importer.on_errors = ErrorFile(errors, kept=work.progress["rejected"]).write
    runner = JobRunner(sessions, {service.LOCAL_JOB: importer}, work)
    try:
        while runner.work is not None:
            runner.step(clock())
    finally:
        importer.close()
    return _ended(sessions, workspace_id, job.id, now=clock())


def _ended(
    sessions: SessionFactory, workspace_id: str, import_id: str, *, now: datetime
) -> LocalImportResult:
    with transaction(sessions) as session:
        service.finish_ended_imports(session, now=now)
        job = job_queries.get_job(session, workspace_id, import_id)
        first = queries.list_errors(
            session, workspace_id, import_id, Paging(MAX_SHOWN_ERRORS, None)
        )
        return LocalImportResult(JobState(job.state), job.error, job.progress, first.rows)


def read_lookup(path: Path) -> dict[str, str]:
    """Read a table of two columns: a value, and what stands for it."""
    source = LocalFile(path)
    start = read_header(source)
    if len(start.columns) < 2:  # noqa: PLR2004 - a value and its meaning
        raise MappingError(f"{path.name} is no table of two columns.")
    reader = CsvReader(source, start, list, offset=None, line=None)
    return {cells[0]: cells[1] for cells in reader.page(MAX_LOOKUP_ROWS).records}
