"""The job handler of imports: each page is stored together with the position of the next one.

Some files are read twice (``ImportPlan.is_noted_first``). Until the first reading is over, its
place in the file is ``noted`` in the position of the job.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, run_with_retries
from app.imports import queries, service
from app.imports.errors import RowError
from app.imports.files import FileFingerprint, FileSource
from app.imports.loaders import Loader, PageResult, ParsedPage, load_workspace
from app.imports.plan import ImportPlan
from app.imports.records import RecordPage, RecordReader
from app.imports.uploads import StoredFile
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob

Progress = Mapping[str, Any]


class _RollBackError(Exception):
    """Rolls back a page of a dry run."""


@dataclass(frozen=True, slots=True)
class OpenImport:
    """A file that is being read, one page ahead of what is stored."""

    token: UUID
    reader: RecordReader
    loader: Loader
    pool: ThreadPoolExecutor | None

    def read_page(self) -> ParsedPage:
        return self.loader.parse(self.reader.read_page(self.loader.page_size))

    def read_page_in_thread(self) -> Future[ParsedPage] | None:
        return self.pool.submit(self.read_page) if self.pool else None


@dataclass
class Importer:
    """The job handler of imports. ``read_ahead``: parse in a thread while the database stores.

    ``on_errors`` gets, before each page is committed, the number of errors before the page and the
    page's errors; ``on_page`` gets the progress after each page.
    """

    source: FileSource | None = None
    read_ahead: bool = True
    on_errors: Callable[[int, Sequence[RowError]], None] | None = None
    on_page: Callable[[Progress], None] | None = None
    current: OpenImport | None = None
    next_page: Future[ParsedPage] | None = None
    offset: int | None = None

    def __call__(self, sessions: SessionFactory, job: ClaimedJob, now: datetime) -> bool:
        if job.position.get("last"):
            return False
        started, notes = monotonic(), _is_noting(job)
        store = self._note if notes else self._store
        try:
            current = self._open(sessions, job, now, notes=notes)
            parsed = self.next_page.result() if self.next_page else current.read_page()
            self.next_page = None if parsed.page.last else current.read_page_in_thread()
            current.loader.prepare(sessions, parsed)
            progress = run_with_retries(
                sessions,
                lambda session: store(
                    session, job, parsed, loader=current.loader, now=now, started=started
                ),
            )
        except BaseException:
            self.close()
            raise
        self.offset = parsed.page.offset
        if parsed.page.last:
            self.close()
        if self.on_page:
            self.on_page(progress)
        return notes or not parsed.page.last

    def _open(
        self, sessions: SessionFactory, job: ClaimedJob, now: datetime, *, notes: bool
    ) -> OpenImport:
        """Return the open file if it is at the job's position, else open the file there."""
        position = job.position.get("noted", {}) if notes else job.position
        current, offset = self.current, position.get("offset")
        if current and current.token == job.token and self.offset == offset:
            return current
        self.close()
        plan = ImportPlan.from_config(job.config)
        source = self.source or StoredFile(sessions, job.workspace_id, job.id)
        file = FileFingerprint(job.config["digest"], job.config["size"])
        workspace = load_workspace(sessions, job.workspace_id)
        self.current = OpenImport(
            job.token,
            plan.open_reader(source, offset=offset, line=position.get("line")),
            plan.make_loader(workspace, file, now, import_id=job.id, notes=notes),
            ThreadPoolExecutor(1, "import-reader") if self.read_ahead else None,
        )
        self.offset = offset
        return self.current

    def close(self) -> None:
        if self.current and self.current.pool:
            self.current.pool.shutdown(cancel_futures=True)
        self.current = self.next_page = None

    def _note(
        self,
        session: Session,
        job: ClaimedJob,
        parsed: ParsedPage,
        *,
        loader: Loader,
        now: datetime,
        started: float,
    ) -> Progress:
        """Note what a page states, and the position of the next page, in one transaction."""
        queries.disable_synchronous_commit(session)
        write_page(session, loader, parsed, dry_run=False)
        page = parsed.page
        progress = {**job.progress, "seconds": _add_seconds(job.progress, started)}
        noted = {"offset": page.offset, "line": page.line, "last": page.last}
        position = {**job.position, "noted": noted}
        jobs.checkpoint(session, job, position=position, progress=progress, now=now)
        return progress

    def _store(
        self,
        session: Session,
        job: ClaimedJob,
        parsed: ParsedPage,
        *,
        loader: Loader,
        now: datetime,
        started: float,
    ) -> Progress:
        """Write a page, its errors and the position of the next page in one transaction."""
        queries.disable_synchronous_commit(session)
        plan, page = ImportPlan.from_config(job.config), parsed.page
        result = write_page(session, loader, parsed, dry_run=plan.dry_run)
        errors = sorted([*parsed.errors, *result.errors], key=lambda error: error.line)
        before = job.progress["rejected"]
        queries.insert_errors(session, job.workspace_id, job.id, before, errors)
        if self.on_errors:
            self.on_errors(before, errors)
        progress = _add_page(job.progress, page, result, len(errors), started)
        position = {
            **job.position,
            "offset": page.offset,
            "line": page.line,
            "first_day": _earlier(job.position.get("first_day"), result.first_day),
            "last": page.last,
        }
        jobs.checkpoint(session, job, position=position, progress=progress, now=now)
        if page.last:
            ended = replace(job, position=position, progress=progress)
            service.finish_import(session, job.workspace_id, ended, now=now)
        return progress


def write_page(
    session: Session, loader: Loader, parsed: ParsedPage, *, dry_run: bool
) -> PageResult:
    """Store a page. If the database refuses it, halve it until only the refused rows fail."""
    results: list[PageResult] = []
    try:
        with suppress(_RollBackError), session.begin_nested():
            results.append(loader.write(session, parsed))
            if dry_run:
                raise _RollBackError
    except (DataError, IntegrityError):
        page = parsed.page
        if len(page.records) <= 1:
            return PageResult(0, 0, [RowError.from_code(line, "unstorable") for line in page.lines])
        return _write_halves(session, loader, page, dry_run=dry_run)
    return results[0]


def _write_halves(
    session: Session, loader: Loader, page: RecordPage, *, dry_run: bool
) -> PageResult:
    middle = len(page.records) // 2
    halves = [
        RecordPage(page.records[part], page.lines[part], suspect=page.suspect)
        for part in (slice(None, middle), slice(middle, None))
    ]
    first, second = (
        write_page(session, loader, loader.parse(half), dry_run=dry_run) for half in halves
    )
    days = [each.first_day for each in (first, second) if each.first_day]
    counts = Counter(first.counts)
    counts.update(second.counts)
    return PageResult(
        first.stored + second.stored,
        first.duplicates + second.duplicates,
        [*first.errors, *second.errors],
        min(days, default=None),
        counts,
    )


def _add_page(
    before: Progress, page: RecordPage, result: PageResult, rejected: int, started: float
) -> Progress:
    return {
        **before,
        "bytes": page.offset,
        "rows": before["rows"] + page.rows,
        "stored": before["stored"] + result.stored,
        "duplicates": before["duplicates"] + result.duplicates,
        "rejected": before["rejected"] + rejected,
        "seconds": _add_seconds(before, started),
        **{name: before.get(name, 0) + count for name, count in result.counts.items()},
    }


def _add_seconds(before: Progress, started: float) -> float:
    return round(float(before["seconds"]) + monotonic() - started, 3)


def _is_noting(job: ClaimedJob) -> bool:
    is_over = job.position.get("noted", {}).get("last", False)
    return ImportPlan.from_config(job.config).is_noted_first and not is_over


def _earlier(before: str | None, day: date | None) -> str | None:
    return min(filter(None, (before, day.isoformat() if day else None)), default=None)
