"""One message announces the end of an import."""

from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.imports import loaders, service
from app.imports.import_job import Importer
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.jobs import service as jobs
from app.jobs.runner import JobRunner
from app.tables import Message
from tests import factories
from tests.conftest import NOW
from tests.imports.files import run_import, start_import

EVENTS = ImportPlan(ImportKind.EVENTS)
CONTENT = b"event,timestamp,account_id\n" + b"Export,2026-01-01T10:00:00Z,acme\n" * 10


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)
    session.commit()


def completed(session: Session) -> list[dict[str, Any]]:
    rows = session.scalars(select(Message).where(Message.type == "import.completed"))
    return [orjson.loads(row.body)["data"] for row in rows]


def test_a_finished_import_is_announced_once(sessions: SessionFactory, session: Session) -> None:
    job = run_import(sessions, EVENTS, CONTENT + b",2026-01-01,acme\n")
    with transaction(sessions) as transaction_session:
        service.finish_ended_imports(transaction_session, now=NOW)

    assert completed(session) == [
        {
            "link": f"/api/v1/imports/{job.id}",
            "import_id": job.id,
            "kind": "events",
            "dry_run": False,
            "state": "done",
            "rows": 11,
            "stored": 10,
            "duplicates": 0,
            "rejected": 1,
        }
    ]


def test_the_message_about_a_cancelled_import_counts_stored_rows(
    sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders.EventPageLoader, "page_size", 4)
    import_id = start_import(sessions, EVENTS, CONTENT)
    JobRunner(sessions, {service.UPLOAD_JOB: Importer(read_ahead=False)}).step(NOW)
    with transaction(sessions) as transaction_session:
        jobs.cancel(service.get_import(transaction_session, "acme", import_id, lock=True), now=NOW)
    assert completed(session) == []

    for _ in range(2):
        with transaction(sessions) as transaction_session:
            service.finish_ended_imports(transaction_session, now=NOW)

    assert [(data["state"], data["stored"]) for data in completed(session)] == [("cancelled", 4)]
