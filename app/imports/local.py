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
from app.imports.files import LocalFile, content_of
from app.imports.mapping import MappingError
from app.imports.plan import Plan
from app.imports.records import CsvReader, header
from app.imports.running import Importer
from app.imports.tables import ImportRowError
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.running import Runner
from app.jobs.states import State
from app.workspaces.service import Actor

ERROR_COLUMNS = ("line", "code", "message")
ACTOR = "cli"
FIRST_ERRORS = 5
LARGEST_LOOKUP = 1_000_000


@dataclass(frozen=True, slots=True)
class Ended:
    """How an import ended, and its first errors."""

    state: State
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


def run(
    sessions: SessionFactory,
    workspace_id: str,
    path: Path,
    plan: Plan,
    *,
    clock: Clock,
    on_page: Callable[[Mapping[str, Any]], None],
    errors: Path | None = None,
) -> Ended:
    """Import a file to its end; an import of it that did not come to its end is gone on with."""
    source = LocalFile(path)
    plan.check(source)
    content = content_of(source.blocks(0))
    with transaction(sessions) as session:
        job, _ = service.begin(
            session,
            Actor(workspace_id, ACTOR, clock()),
            plan,
            content,
            kind=service.LOCAL,
            again_after={State.DONE},
        )
    work = jobs.take(sessions, workspace_id, job.id, now=clock())
    importer = Importer(source, on_page=on_page)
    if errors is not None:
        importer.on_errors = ErrorFile(errors, kept=work.progress["rejected"]).write
    runner = Runner(sessions, {service.LOCAL: importer}, work)
    try:
        while runner.work is not None:
            runner.step(clock())
    finally:
        importer.close()
    return _ended(sessions, workspace_id, job.id, now=clock())


def _ended(sessions: SessionFactory, workspace_id: str, import_id: str, *, now: datetime) -> Ended:
    with transaction(sessions) as session:
        service.settle_ended(session, now=now)
        job = job_queries.get(session, workspace_id, import_id)
        first = queries.list_errors(session, workspace_id, import_id, Paging(FIRST_ERRORS, None))
        return Ended(State(job.state), job.error, job.progress, first.rows)


def lookup(path: Path) -> dict[str, str]:
    """Read a table of two columns: a value, and what stands for it."""
    source = LocalFile(path)
    start = header(source)
    if len(start.columns) < 2:  # noqa: PLR2004 - a value and its meaning
        raise MappingError(f"{path.name} is no table of two columns.")
    reader = CsvReader(source, start, list, offset=None, line=None)
    return {cells[0]: cells[1] for cells in reader.page(LARGEST_LOOKUP).records}
