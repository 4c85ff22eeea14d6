"""After an erasure nothing is left of a person in what failed before: the canary is nowhere."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.processors import ExceptionRenderer
from structlog.testing import capture_logs

from app.core.db import SessionFactory
from app.core.logs import format_exception
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.jobs import service as jobs
from app.jobs.runner import JobRunner
from app.workspaces.service import Actor
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import NATIVE, group, identify, track, unattributed
from tests.imports.files import run_import
from tests.lifecycle.id_changes import columns_mentioning, erase

CANARY = "zz-canary@example.com"
KINDS = {
    ImportKind.ACCOUNTS: ("account_id", "employees", "end_customers", "started_on", "parent_id"),
    ImportKind.USERS: ("user_id", "account_id"),
    ImportKind.SUBSCRIPTIONS: ("account_id", "starts_on", "mrr", "seats", "currency", "ends_on"),
    ImportKind.EVENTS: ("account_id", "event", "timestamp"),
}
VALUES = {
    "account_id": "a1",
    "user_id": "u1",
    "event": "Export",
    "mrr": "1",
    "seats": "1",
    "timestamp": "2026-01-01T00:00:00Z",
    "starts_on": "2026-01-01",
    "currency": "USD",
}
BAD_FIELDS = [
    (kind, field)
    for kind, fields in KINDS.items()
    for field in fields
    if field not in {"account_id", "user_id", "event", "parent_id"}
]


def csv_of(kind: ImportKind, bad_field: str) -> bytes:
    fields = KINDS[kind]
    row = [CANARY if field == bad_field else VALUES.get(field, "") for field in fields]
    return f"{','.join(fields)}\n{','.join(row)}\n".encode()


@pytest.mark.parametrize(("kind", "field"), BAD_FIELDS)
def test_an_error_of_an_imported_cell_does_not_quote_it(
    sessions: SessionFactory, session: Session, client: TestClient, kind: ImportKind, field: str
) -> None:
    del client  # makes the workspace
    job = run_import(sessions, ImportPlan(kind), csv_of(kind, field))

    assert job.progress["rejected"] == 1
    in_quarantine = {("quarantined_event", "payload")} if kind is ImportKind.EVENTS else set()
    assert columns_mentioning(session, [CANARY]) == in_quarantine


@pytest.mark.parametrize(
    "row",
    [
        f'{{"account_id": "a1", "employees": "{CANARY}"}}',
        f'{{"account_id": "a1", "traits": "{CANARY}"}}',
        f'{{"account_id": "a1", "{CANARY}": 1}}',
        f'{{"account_id": "a1", "external_ids": {{"{CANARY}": 7}}}}',
        f'{{"account_id": "a1", "feature_exceptions": {{"{CANARY}": "x"}}}}',
        f'{{"account_id": {{"id": "{CANARY}"}}}}',
        f"{CANARY}",
    ],
)
def test_an_error_of_a_json_row_does_not_quote_it(
    sessions: SessionFactory, session: Session, client: TestClient, row: str
) -> None:
    del client
    plan = ImportPlan(ImportKind.ACCOUNTS, FileFormat.NDJSON)
    job = run_import(sessions, plan, b'{"account_id": "a0"}\n' + row.encode() + b"\n")

    assert job.progress["rejected"] == 1
    assert columns_mentioning(session, [CANARY]) == set()


def test_look_up_tables_are_deleted_when_an_import_ends(
    sessions: SessionFactory, session: Session, client: TestClient
) -> None:
    del client
    plan = ImportPlan(
        ImportKind.ACCOUNTS,
        mapping=["account_id=who", "name=name"],
        lookups={"who": {CANARY: "a1"}},
    )
    job = run_import(sessions, plan, f"who,name\n{CANARY},One\nx,Two\n".encode())

    assert job.progress["stored"] >= 1
    assert columns_mentioning(session, [CANARY]) == set()


def fail_everywhere(client: TestClient, sessions: SessionFactory) -> None:
    """Send the canary in every way that fails or waits."""
    calls.ingest(
        client,
        group("g1", userId=CANARY, traits={"mrr": CANARY, "seats": CANARY, "MRR": 1}),
        identify("i1", userId=CANARY, traits={"email": CANARY, "Email": CANARY}),
        track("t1", userId=CANARY, event=""),
        track("t2", userId=CANARY, timestamp=CANARY),
        track("t3", userId=CANARY, event="NPS Submitted", properties={"score": CANARY}),
        track("t4", userId=CANARY, properties={"accountId": CANARY}),
        unattributed("t5", userId=CANARY, anonymousId="visitor"),
        {"type": CANARY, "userId": CANARY},
        CANARY,
    )
    client.post(NATIVE, json={"event": "Export", "userId": CANARY, "timestamp": "2030-01-01"})
    client.post(NATIVE, content=f'{{"userId": "{CANARY}", '.encode())
    for path, body in (
        ("accounts/a1", {"parent_id": 1, "name": CANARY, CANARY: CANARY}),
        (f"users/{CANARY}", {"account_id": f" {CANARY} "}),
        (f"users/{CANARY}", {"email": CANARY, "role": 7}),
        ("tickets/t1", {"account_id": "a1", "user_id": CANARY, "opened_at": CANARY}),
    ):
        assert client.put(f"/api/v1/{path}", json=body).status_code == 422
    run_import(sessions, ImportPlan(ImportKind.USERS), f"user_id,account_id\n{CANARY},0\n".encode())


def fail_job(sessions: SessionFactory, session: Session) -> None:
    """Let a job fail with the canary in its settings, its error and a constraint's detail."""

    def handler(_: SessionFactory, job: Any, __: Any) -> bool:  # noqa: ANN401 - not used
        duplicate = text("INSERT INTO workspace SELECT * FROM workspace WHERE id = :id")
        with sessions() as own, own.begin():
            own.execute(duplicate, {"id": job.workspace_id})
        return False

    workspace_id = session.execute(text("SELECT id FROM workspace")).scalar_one()
    with sessions() as own, own.begin():
        jobs.enqueue(own, Actor(workspace_id, "test", NOW), "canary", {"filter": CANARY})
    runner = JobRunner(sessions, {"canary": handler})
    for _ in range(10):
        runner.step(NOW)


def test_nothing_is_left_of_an_erased_person_in_what_failed(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    with capture_logs(processors=[ExceptionRenderer(format_exception)]) as lines:
        fail_everywhere(client, sessions)
        assert columns_mentioning(session, [CANARY]) > {("quarantined_event", "payload")}

        erase(client, sessions, f"users/{CANARY}")

    assert columns_mentioning(session, [CANARY]) == set()
    assert CANARY not in str(lines)


def test_a_failed_job_loses_the_erased_id(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, track(userId=CANARY))
    with capture_logs(processors=[ExceptionRenderer(format_exception)]) as lines:
        fail_job(sessions, session)
        assert ("job", "config") in columns_mentioning(session, [CANARY])

        erase(client, sessions, f"users/{CANARY}")

    assert columns_mentioning(session, [CANARY]) == set()
    assert [line["event"] for line in lines if "exception" in line][:1] == ["job_page_failed"]
    assert "UniqueViolation: 23505" in str(lines)
    assert "already exists" not in str(lines)
