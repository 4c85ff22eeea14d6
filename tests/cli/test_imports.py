"""Import a local file: progress, counts, errors, and resuming after a crash."""

import csv
import gzip
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import SessionFactory, transaction
from app.core.pagination import Paging
from app.imports import loaders, local_import, service
from app.imports.errors import InvalidFileError, RowError
from app.imports.kinds import ImportKind
from app.imports.local_import import ErrorFile
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.jobs import queries as jobs
from app.jobs.tables import JobState
from tests import factories
from tests.conftest import NOW

EVENTS = ImportPlan(ImportKind.EVENTS)


class Crash(BaseException):
    """The process was killed."""


@pytest.fixture
def sessions(committed: SessionFactory) -> SessionFactory:
    """Sessions that really commit: another thread reads the file."""
    with transaction(committed) as session:
        factories.workspace(session)
    return committed


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaders.EventPageLoader, "page_size", 10)


def events(path: Path, count: int = 100, *, bad: int = 7) -> Path:
    """Write events; every ``bad``-th one is invalid."""
    rows = ["event,timestamp,account_id,user_id"]
    rows += [
        f"E{n % 3},{'never' if n % bad == 0 else 1767261600 + 3600 * n},a{n % 4},u{n % 5}"
        for n in range(1, count + 1)
    ]
    content = "\n".join(rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def stored(sessions: SessionFactory) -> Any:  # noqa: ANN401
    with transaction(sessions) as session:
        rows = session.execute(
            text(
                "SELECT account_id, user_id, event_name, day, events FROM daily_usage"
                " ORDER BY 1, 2, 3, 4"
            )
        )
        return [tuple(row) for row in rows]


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


def run(
    sessions: SessionFactory,
    path: Path,
    plan: ImportPlan = EVENTS,
    **options: Any,  # noqa: ANN401
) -> local_import.LocalImportResult:
    options = {"on_page": lambda _: None, "clock": lambda: NOW, **options}
    return local_import.import_file(sessions, "acme", path, plan, **options)


def test_a_file_is_imported_and_the_same_again_changes_nothing(
    sessions: SessionFactory, tmp_path: Path
) -> None:
    path = events(tmp_path / "events.csv")
    pages: list[Mapping[str, Any]] = []

    first = run(sessions, path, on_page=pages.append)
    before = stored(sessions)
    again = run(sessions, path)

    assert first.state is JobState.DONE
    assert [first.progress[name] for name in ("rows", "stored", "rejected")] == [100, 86, 14]
    assert [page["rows"] for page in pages] == [*range(10, 101, 10), 100]
    assert [again.progress[name] for name in ("stored", "duplicates")] == [0, 86]
    assert stored(sessions) == before
    with transaction(sessions) as session:
        assert session.scalar(text("SELECT count(*) FROM import_chunk")) == 0


def test_an_import_runs_to_its_end_however_long_it_takes(
    sessions: SessionFactory, tmp_path: Path
) -> None:
    """A minute for each page: a worker would give other jobs a turn."""
    times = (NOW + timedelta(minutes=n) for n in count())

    ended = run(sessions, events(tmp_path / "events.csv"), clock=lambda: next(times))

    assert (ended.state, ended.progress["rows"]) == (JobState.DONE, 100)


@pytest.mark.parametrize("name", ["events.csv", "events.csv.gz"])
@pytest.mark.parametrize("crashes", [[1], [3, 4, 9]])
def test_a_killed_import_resumes_where_it_was(
    sessions: SessionFactory, tmp_path: Path, name: str, crashes: list[int]
) -> None:
    path, errors = events(tmp_path / name), tmp_path / "errors.csv"
    done = 0

    def crash(_: Mapping[str, Any]) -> None:
        nonlocal done
        done += 1
        if done in crashes:
            raise Crash

    ended = run_until_finished(sessions, path, errors, crash)

    assert [ended.progress[name] for name in ("rows", "stored", "duplicates", "rejected")] == [
        *(100, 86, 0, 14)
    ]
    assert sum(row[-1] for row in stored(sessions)) == 86
    lines = [int(row[0]) for row in read_csv(errors)[1:]]
    assert lines == [n + 1 for n in range(7, 101, 7)]
    with transaction(sessions) as session:
        assert len(jobs.list_jobs(session, "acme", Paging(10, None)).rows) == 1


def run_until_finished(
    sessions: SessionFactory,
    path: Path,
    errors: Path,
    crash: Any,  # noqa: ANN401
) -> local_import.LocalImportResult:
    while True:
        try:
            return run(sessions, path, on_page=crash, errors=errors)
        except Crash:
            continue


def test_a_file_that_changed_is_another_file(sessions: SessionFactory, tmp_path: Path) -> None:
    path = events(tmp_path / "events.csv", 20)
    run(sessions, path)

    ended = run(sessions, events(path, 21))

    assert ended.progress["rows"] == 21
    with transaction(sessions) as session:
        assert (
            len(jobs.list_jobs(session, "acme", Paging(10, None), kinds=[service.LOCAL_JOB]).rows)
            == 2
        )


def test_a_dry_run_stores_nothing_and_does_not_replace_the_real_import(
    sessions: SessionFactory, tmp_path: Path
) -> None:
    path = events(tmp_path / "events.csv")

    dry_run = run(sessions, path, ImportPlan(ImportKind.EVENTS, dry_run=True))

    assert (dry_run.progress["stored"], stored(sessions)) == (86, [])
    assert run(sessions, path).progress["stored"] == 86


def test_an_unreadable_file_creates_no_job(sessions: SessionFactory, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"nonsense\n")

    with pytest.raises(InvalidFileError):
        run(sessions, path, ImportPlan(ImportKind.EVENTS, FileFormat.NDJSON))

    with transaction(sessions) as session:
        assert jobs.list_jobs(session, "acme", Paging(10, None)).rows == []


def test_the_errors_of_a_repeated_page_are_written_once(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    first, second = RowError.from_code(2, "invalid_csv"), RowError.from_code(5, "invalid_csv")
    file = ErrorFile(path, committed=0)
    file.write(0, [])
    file.write(0, [first])
    file.write(0, [first])
    file.write(1, [second, second])

    ErrorFile(path, committed=2)

    assert [row[0] for row in read_csv(path)] == ["line", "2", "5"]


def test_a_lookup_is_a_table_of_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "types.csv"
    path.write_text("id,name,more\n1,Export,x\n2,Import\n")

    assert local_import.read_lookup(path) == {"1": "Export", "2": "Import"}
