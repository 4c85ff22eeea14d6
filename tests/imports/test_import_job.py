"""Pages of an import: what is stored, rejected and counted, and how a job resumes."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.pagination import Paging
from app.imports import loaders, queries, service
from app.imports.import_job import Importer
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.jobs import service as jobs
from app.jobs.runner import JobRunner
from app.jobs.service import LostLeaseError
from app.tables import Account, Due, ImportChunk, ImportFile
from tests import factories
from tests.conftest import NOW
from tests.imports.files import run_import, run_imports, start_import

EVENTS = ImportPlan(ImportKind.EVENTS)
HEAD = b"event,timestamp,account_id,user_id\n"


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)
    session.commit()


def event(day: int, name: str = "Export", account: str = "acme") -> bytes:
    return f"{name},2026-01-{day:02}T10:00:00Z,{account},ada\n".encode()


def events(days: int) -> bytes:
    return HEAD + b"".join(event(day % 28 + 1, f"E{day % 3}") for day in range(days))


def errors(session: Session, import_id: str) -> list[tuple[int, str]]:
    rows = queries.list_errors(session, "acme", import_id, Paging(1000, None)).rows
    return [(row.line, row.code) for row in rows]


def counted(session: Session) -> Any:  # noqa: ANN401
    return session.scalar(text("SELECT coalesce(sum(events), 0) FROM daily_usage"))


def test_imported_events_count_as_known_on_their_own_day(
    sessions: SessionFactory, session: Session
) -> None:
    job = run_import(sessions, EVENTS, events(100))

    assert job.state == "done"
    assert {name: job.progress[name] for name in ("rows", "stored", "duplicates", "rejected")} == {
        "rows": 100,
        "stored": 100,
        "duplicates": 0,
        "rejected": 0,
    }
    assert job.progress["bytes"] == job.progress["bytes_total"] == len(events(100))
    assert counted(session) == 100
    assert session.scalar(text("SELECT bool_and(known_on = day) FROM daily_usage"))


def test_pages_of_any_size_store_the_same(
    sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders.EventPageLoader, "page_size", 7)

    job = run_import(sessions, EVENTS, events(100))

    assert (job.state, job.progress["stored"], counted(session)) == ("done", 100, 100)


def test_the_same_file_is_the_same_import_unless_it_failed(sessions: SessionFactory) -> None:
    first = run_import(sessions, EVENTS, events(10))

    assert start_import(sessions, EVENTS, events(10)) == first.id
    assert start_import(sessions, ImportPlan(ImportKind.EVENTS, split="+"), events(10)) != first.id
    cancelled = start_import(sessions, EVENTS, events(11))
    with transaction(sessions) as transaction_session:
        jobs.cancel(service.get_import(transaction_session, "acme", cancelled, lock=True), now=NOW)
    assert start_import(sessions, EVENTS, events(11)) != cancelled


def test_importing_the_same_rows_again_changes_nothing(
    sessions: SessionFactory, session: Session
) -> None:
    run_import(sessions, EVENTS, events(10))

    again = run_import(sessions, ImportPlan(ImportKind.EVENTS, mapping=tuple(IDENTITY)), events(10))

    assert (again.progress["stored"], again.progress["duplicates"]) == (0, 10)
    assert counted(session) == 10


IDENTITY = [f"{name}={name}" for name in HEAD.decode().strip().split(",")]


def test_bad_rows_are_listed_with_their_lines_and_do_not_stop_the_import(
    sessions: SessionFactory, session: Session
) -> None:
    content = (
        HEAD
        + event(1)
        + b"Export,yesterday,acme,ada\n"
        + b"Export,,acme,ada\n"
        + event(2, account="0")
        + b",2026-01-01T10:00:00Z,acme,ada\n"
        + b"Export,2099-01-01T10:00:00Z,acme,ada\n"
        + b"\xff\n"
        + event(3, name="Nul\0")
        + event(4, name='=HYPERLINK("x")')
    )

    job = run_import(sessions, EVENTS, content)

    assert errors(session, job.id) == [
        (3, "invalid_timestamp"),
        (4, "missing_timestamp"),
        (5, "invalid_account_id"),
        (6, "missing_event_name"),
        (7, "future_timestamp"),
        (8, "invalid_encoding"),
    ]
    assert (job.progress["rows"], job.progress["stored"], job.progress["rejected"]) == (9, 3, 6)
    names = session.scalars(text("SELECT DISTINCT name FROM event ORDER BY 1")).all()
    assert names == ['=HYPERLINK("x")', "Export", "Nul"]


def test_only_the_first_errors_are_stored_and_all_are_counted(
    sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_STORED_ERRORS", 3)
    monkeypatch.setattr(loaders.EventPageLoader, "page_size", 2)

    job = run_import(sessions, EVENTS, HEAD + b"Export,never,acme,ada\n" * 5)

    assert job.progress["rejected"] == 5
    assert [line for line, _ in errors(session, job.id)] == [2, 3, 4]


def test_a_dry_run_checks_everything_and_stores_nothing(
    sessions: SessionFactory, session: Session
) -> None:
    content = events(10) + b"Export,never,acme,ada\n"

    job = run_import(sessions, ImportPlan(ImportKind.EVENTS, dry_run=True), content)

    assert (job.progress["stored"], job.progress["rejected"]) == (10, 1)
    assert errors(session, job.id) == [(12, "invalid_timestamp")]
    for table in ("event", "daily_usage", "account", "due", "event_name", "quarantined_event"):
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table  # noqa: S608


def test_one_cell_can_hold_several_event_names(sessions: SessionFactory, session: Session) -> None:
    content = HEAD + event(1, name="a+b+c") + event(2, name="a")

    job = run_import(sessions, ImportPlan(ImportKind.EVENTS, split="+"), content)

    assert (job.progress["rows"], job.progress["stored"]) == (2, 4)
    assert counted(session) == 4


def test_unix_seconds_and_dates_are_timestamps(sessions: SessionFactory, session: Session) -> None:
    times = ["1767261600", "1767261600.5", "1767261600000", "20260101", "2026-01-01"]
    content = HEAD + "".join(f"Export,{at},acme,ada\n" for at in times).encode()

    job = run_import(sessions, EVENTS, content)

    assert job.progress["stored"] == len(times)
    days = session.scalars(text("SELECT DISTINCT day FROM daily_usage")).all()
    assert days == [date(2026, 1, 1)]


def test_native_events_are_imported_from_json_lines(
    sessions: SessionFactory, session: Session
) -> None:
    lines = [
        b'{"type": "group", "account_id": "acme", "traits": {"name": "A"}, "timestamp": 2e8}',
        b'{"event": "Export", "user_id": "ada", "account_id": "acme", "timestamp": 1767261600}',
        b'{"event": "Export", "user_id": "ada"}',
        b"nonsense",
        b"[]",
    ]

    job = run_import(sessions, ImportPlan(ImportKind.EVENTS, FileFormat.NDJSON), b"\n".join(lines))

    account = session.get(Account, ("acme", "acme"))
    assert account is not None
    assert account.name == "A"
    assert job.progress["stored"] == 2
    assert errors(session, job.id) == [
        (3, "missing_timestamp"),
        (4, "invalid_json"),
        (5, "invalid_json"),
    ]


def test_an_import_makes_accounts_due_once_and_silently(
    sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders.EventPageLoader, "page_size", 3)

    run_import(sessions, EVENTS, events(20))

    assert [(row.account_id, row.notify) for row in session.query(Due)] == [("acme", False)]


def test_the_uploaded_content_is_deleted_when_the_import_ends(
    sessions: SessionFactory, session: Session
) -> None:
    import_id = start_import(sessions, EVENTS, events(10))
    assert session.query(ImportChunk).count() == 1

    run_imports(sessions)

    assert session.query(ImportChunk).count() == 0
    assert session.query(ImportFile.finished_at).scalar() == NOW
    assert service.get_import(session, "acme", import_id).state == "done"


def test_a_cancelled_import_is_finished_and_its_stored_rows_stay(
    sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders.EventPageLoader, "page_size", 4)
    import_id = start_import(sessions, EVENTS, events(20))
    runner = JobRunner(sessions, {service.UPLOAD_JOB: Importer(read_ahead=False)})
    runner.step(NOW)
    with transaction(sessions) as transaction_session:
        jobs.cancel(service.get_import(transaction_session, "acme", import_id, lock=True), now=NOW)

    assert runner.step(NOW)
    with transaction(sessions) as transaction_session:
        service.finish_ended_imports(transaction_session, now=NOW)

    assert counted(session) == 4
    assert session.query(ImportChunk).count() == 0
    assert session.query(Due).count() == 1


def test_a_page_is_rolled_back_after_a_lost_lease(
    sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders.EventPageLoader, "page_size", 4)
    start_import(sessions, EVENTS, events(20))
    slow = jobs.claim(sessions, [service.UPLOAD_JOB], now=NOW)
    assert slow is not None
    quick = jobs.take_over(sessions, "acme", slow.id, now=NOW)

    importer = Importer(read_ahead=False)
    with pytest.raises(LostLeaseError):
        importer(sessions, slow, NOW)
    assert counted(session) == 0
    assert importer.current is None

    assert importer(sessions, quick, NOW)
    assert counted(session) == 4


def test_an_import_without_its_stored_content_fails_with_a_reason(
    sessions: SessionFactory, session: Session
) -> None:
    import_id = start_import(sessions, EVENTS, events(3))
    queries.delete_chunks(session, "acme", import_id)
    session.commit()

    run_imports(sessions)

    job = service.get_import(session, "acme", import_id)
    assert (job.state, bool(job.error)) == ("failed", True)


def test_a_column_can_be_a_numeric_property_that_counts(
    sessions: SessionFactory, session: Session
) -> None:
    factories.workspace(session).reach_property = "contacts"
    session.commit()
    content = b"event,timestamp,account_id,properties.contacts,properties.zip\n"
    content += b"Sent,2026-01-01,acme,12,0123\nSent,2026-01-01,acme,,\n"

    run_import(sessions, EVENTS, content)

    stored = session.scalars(text("SELECT properties FROM event ORDER BY properties")).all()
    assert stored == [{}, {"contacts": 12, "zip": "0123"}]
    assert session.scalar(text("SELECT sum(quantity) FROM daily_usage")) == 12
