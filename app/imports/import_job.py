"""Do an import page by page; where the next one starts is stored with what the page has written."""

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
from app.imports.stored_file import StoredFile
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob

Progress = Mapping[str, Any]


class _UndoneError(Exception):
    """A dry run takes its page back."""


@dataclass(frozen=True, slots=True)
class OpenImport:
    """A file that is being read, one page ahead of what is stored."""

    token: UUID
    reader: RecordReader
    loader: Loader
    pool: ThreadPoolExecutor | None

    def read(self) -> ParsedPage:
        return self.loader.judge(self.reader.page(self.loader.at_once))

    def ask(self) -> "Future[ParsedPage] | None":
        return self.pool.submit(self.read) if self.pool else None


@dataclass
class Importer:
    """The handler of imports. ``ahead``: read in a thread while the database stores.

    ``on_errors`` is told, before each page is committed, how many errors came before and which
    are new; ``on_page`` what became of the file so far.
    """

    source: FileSource | None = None
    ahead: bool = True
    on_errors: Callable[[int, Sequence[RowError]], None] | None = None
    on_page: Callable[[Progress], None] | None = None
    opened: OpenImport | None = None
    waiting: "Future[ParsedPage] | None" = None
    at: int | None = None

    def __call__(self, sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
        if work.position.get("last"):
            return False
        started = monotonic()
        try:
            opened = self._open(sessions, work, now)
            judged = self.waiting.result() if self.waiting else opened.read()
            self.waiting = None if judged.page.last else opened.ask()
            opened.loader.prepare(sessions, judged)
            progress = run_with_retries(
                sessions,
                lambda session: self._store(
                    session, work, judged, loader=opened.loader, now=now, started=started
                ),
            )
        except BaseException:
            self.close()
            raise
        self.at = judged.page.offset
        if judged.page.last:
            self.close()
        if self.on_page:
            self.on_page(progress)
        return not judged.page.last

    def _open(self, sessions: SessionFactory, work: ClaimedJob, now: datetime) -> OpenImport:
        """Go on with the file that is open, if that is where the job stands; else open it there."""
        opened, offset = self.opened, work.position.get("offset")
        if opened and opened.token == work.token and self.at == offset:
            return opened
        self.close()
        plan = ImportPlan.of(work.config)
        source = self.source or StoredFile(sessions, work.workspace_id, work.id)
        content = FileFingerprint(work.config["digest"], work.config["size"])
        self.opened = OpenImport(
            work.token,
            plan.reader(source, offset=offset, line=work.position.get("line")),
            plan.loader(load_workspace(sessions, work.workspace_id), content, now),
            ThreadPoolExecutor(1, "import-reader") if self.ahead else None,
        )
        self.at = offset
        return self.opened

    def close(self) -> None:
        if self.opened and self.opened.pool:
            self.opened.pool.shutdown(cancel_futures=True)
        self.opened = self.waiting = None

    def _store(
        self,
        session: Session,
        work: ClaimedJob,
        judged: ParsedPage,
        *,
        loader: Loader,
        now: datetime,
        started: float,
    ) -> Progress:
        """Write a page, its errors and the place of the next one, in one transaction."""
        queries.disable_synchronous_commit(session)
        plan, page = ImportPlan.of(work.config), judged.page
        written = write_page(session, loader, judged, dry_run=plan.dry_run)
        errors = sorted([*judged.errors, *written.errors], key=lambda error: error.line)
        before = work.progress["rejected"]
        queries.insert_errors(session, work.workspace_id, work.id, before, errors)
        if self.on_errors:
            self.on_errors(before, errors)
        progress = _added(work.progress, page, written, len(errors), monotonic() - started)
        position = {
            "offset": page.offset,
            "line": page.line,
            "first_day": _earlier(work.position.get("first_day"), written.first_day),
            "last": page.last,
        }
        jobs.checkpoint(session, work, position=position, progress=progress, now=now)
        if page.last:
            ended = replace(work, position=position, progress=progress)
            service.finish_import(session, work.workspace_id, ended, now=now)
        return progress


def write_page(
    session: Session, loader: Loader, judged: ParsedPage, *, dry_run: bool
) -> PageResult:
    """Store a page; find the row that the database cannot hold, so that the others are stored."""
    done: list[PageResult] = []
    try:
        with suppress(_UndoneError), session.begin_nested():
            done.append(loader.write(session, judged))
            if dry_run:
                raise _UndoneError
    except (DataError, IntegrityError):
        page = judged.page
        if len(page.records) <= 1:
            return PageResult(0, 0, [RowError.of(line, "unstorable") for line in page.lines])
        return _in_halves(session, loader, page, dry_run=dry_run)
    return done[0]


def _in_halves(session: Session, loader: Loader, page: RecordPage, *, dry_run: bool) -> PageResult:
    middle = len(page.records) // 2
    halves = [
        RecordPage(page.records[part], page.lines[part], suspect=page.suspect)
        for part in (slice(None, middle), slice(middle, None))
    ]
    first, second = (
        write_page(session, loader, loader.judge(half), dry_run=dry_run) for half in halves
    )
    days = [each.first_day for each in (first, second) if each.first_day]
    return PageResult(
        first.stored + second.stored,
        first.duplicates + second.duplicates,
        [*first.errors, *second.errors],
        min(days, default=None),
    )


def _added(
    before: Progress, page: RecordPage, written: PageResult, rejected: int, seconds: float
) -> Progress:
    return {
        "bytes": page.offset,
        "bytes_total": before["bytes_total"],
        "rows": before["rows"] + page.rows,
        "stored": before["stored"] + written.stored,
        "duplicates": before["duplicates"] + written.duplicates,
        "rejected": before["rejected"] + rejected,
        "seconds": round(before["seconds"] + seconds, 3),
    }


def _earlier(before: str | None, day: date | None) -> str | None:
    return min(filter(None, (before, day.isoformat() if day else None)), default=None)
