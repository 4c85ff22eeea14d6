"""Uploading a file, following its import, and every reason to refuse it."""

import gzip
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.tables import AuditEntry, ImportChunk, Job
from app.workspaces.keys import Scope
from tests import factories
from tests.imports.files import run_imports

ACCOUNTS = b"account_id,name\nacme,Acme Corp\nnull,Nobody\nbolt,Bolt\n"
EVENTS = b"what,when,who\n13,1767261600,7\n14,1767265200,7\n"


def post(client: TestClient, content: bytes, **query: Any) -> Any:  # noqa: ANN401
    headers = query.pop("headers", {})
    return client.post("/api/v1/imports", params=query, content=content, headers=headers)


def test_a_file_is_imported_by_a_worker(client: TestClient, sessions: SessionFactory) -> None:
    started = post(client, ACCOUNTS, kind="accounts")
    assert (started.status_code, started.json()["state"]) == (202, "queued")
    path = f"/api/v1/imports/{started.json()['id']}"

    run_imports(sessions)

    done = client.get(path).json()
    assert (done["state"], done["rows"], done["stored"], done["rejected"]) == ("done", 3, 2, 1)
    assert done["bytes"] == done["bytes_total"] == len(ACCOUNTS)
    assert done["rows_per_second"] > 0
    assert done["eta_seconds"] is None
    assert client.get("/api/v1/accounts/acme").json()["name"] == "Acme Corp"
    [error] = client.get(f"{path}/errors").json()["items"]
    assert (error["line"], error["code"]) == (3, "invalid_account_id")
    assert [item["id"] for item in client.get("/api/v1/imports").json()["items"]] == [done["id"]]


def test_errors_are_paged(client: TestClient, sessions: SessionFactory) -> None:
    started = post(client, b"account_id\n" + b"null\n" * 5, kind="accounts").json()
    run_imports(sessions)
    path, lines, cursor = f"/api/v1/imports/{started['id']}/errors", [], None

    while True:
        page = client.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        lines += [item["line"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert lines == [2, 3, 4, 5, 6]


def test_columns_are_mapped_by_the_query(client: TestClient, sessions: SessionFactory) -> None:
    mapping = ["event=what", "timestamp=when", "account_id=a{who}", "user_id=a{who}:1"]
    query = {"kind": "events", "map": mapping, "lookup": ["what:13=Export", "what:14=a:b=c"]}

    started = post(client, EVENTS, **query)
    run_imports(sessions)

    done = client.get(f"/api/v1/imports/{started.json()['id']}").json()
    assert (done["stored"], done["rejected"]) == (2, 0)
    assert client.get("/api/v1/accounts/a7").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_a_gzipped_file_is_the_same_import(
    client: TestClient, sessions: SessionFactory, headers: dict[str, str]
) -> None:
    first = post(client, ACCOUNTS, kind="accounts").json()

    again = post(client, gzip.compress(ACCOUNTS), kind="accounts", headers=headers)

    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    run_imports(sessions)
    assert post(client, ACCOUNTS, kind="accounts").json()["state"] == "done"
    assert post(client, ACCOUNTS, kind="accounts", dry_run=True).json()["id"] != first["id"]


def test_the_format_is_given_or_inferred_from_the_content_type(
    client: TestClient, sessions: SessionFactory
) -> None:
    content = b'{"account_id": "acme", "employees": 250}\n'
    typed = {"Content-Type": "application/x-ndjson; charset=utf-8"}

    inferred = post(client, content, kind="accounts", headers=typed).json()
    given = post(client, content, kind="accounts", format="ndjson").json()

    assert inferred["id"] == given["id"]
    assert inferred["format"] == "ndjson"
    run_imports(sessions)
    assert client.get("/api/v1/accounts/acme").json()["employees"] == 250


@pytest.mark.parametrize(
    ("content", "query", "problem"),
    [
        (ACCOUNTS, {}, (422, "invalid_input")),
        (ACCOUNTS, {"kind": "nonsense"}, (422, "invalid_input")),
        (ACCOUNTS, {"kind": "users"}, (422, "invalid_mapping")),
        (ACCOUNTS, {"kind": "accounts", "map": ["account_id=nope"]}, (422, "invalid_mapping")),
        (ACCOUNTS, {"kind": "accounts", "map": ["nonsense"]}, (422, "invalid_mapping")),
        (ACCOUNTS, {"kind": "accounts", "map": ["colour=name"]}, (422, "invalid_mapping")),
        (ACCOUNTS, {"kind": "accounts", "lookup": ["name"]}, (422, "invalid_mapping")),
        (ACCOUNTS, {"kind": "accounts", "lookup": ["nope:1=2"]}, (422, "invalid_mapping")),
        (ACCOUNTS, {"kind": "accounts", "split": "+"}, (422, "invalid_mapping")),
        (ACCOUNTS, {"kind": "accounts", "format": "ndjson"}, (422, "invalid_file")),
        (
            b'{"a": 1}',
            {"kind": "users", "format": "ndjson", "map": ["a=b"]},
            (422, "invalid_mapping"),
        ),
        (b"", {"kind": "accounts"}, (422, "invalid_file")),
        (b"\x89PNG\r\n\x1a\n\x00\x00", {"kind": "accounts"}, (422, "invalid_file")),
        ("account_id\nx\n".encode("utf-16"), {"kind": "accounts"}, (422, "invalid_file")),
        (gzip.compress(ACCOUNTS, mtime=0)[:-9], {"kind": "accounts"}, (400, "truncated_file")),
        (b"\x1f\x8bnonsense", {"kind": "accounts"}, (400, "truncated_file")),
    ],
)
def test_an_unreadable_file_is_refused_and_nothing_is_stored(
    client: TestClient,
    session: Session,
    content: bytes,
    query: dict[str, Any],
    problem: tuple[int, str],
) -> None:
    answer = post(client, content, **query)

    assert (answer.status_code, answer.json()["code"]) == problem
    assert session.query(Job).count() == session.query(ImportChunk).count() == 0


@pytest.mark.parametrize(("encoding", "status"), [("br", 415), ("zstd", 415), ("gzip", 400)])
def test_an_unsupported_encoding_is_refused(client: TestClient, encoding: str, status: int) -> None:
    answer = post(client, ACCOUNTS, kind="accounts", headers={"Content-Encoding": encoding})

    assert answer.status_code == status


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_is_too_large_is_refused(client: TestClient, packed: bool) -> None:  # noqa: FBT001
    client.app.state.import_bytes = 5000  # type: ignore[attr-defined]
    content = b"account_id\n" + b"acme\n" * 1000

    answer = post(client, gzip.compress(content) if packed else content, kind="accounts")

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_events_also_require_the_scope_of_ingestion(client: TestClient, session: Session) -> None:
    key = factories.api_key(session, factories.workspace(session), [Scope.ACCOUNTS_WRITE])
    session.commit()
    headers = {"Authorization": f"Bearer {key}"}

    assert post(client, ACCOUNTS, kind="accounts", headers=headers).status_code == 202
    assert post(client, EVENTS, kind="events", headers=headers).json()["code"] == "key_scope"


def test_an_import_can_be_cancelled_and_sent_again(client: TestClient, session: Session) -> None:
    first = post(client, ACCOUNTS, kind="accounts").json()["id"]

    cancelled = client.post(f"/api/v1/imports/{first}/cancel")

    assert cancelled.json()["state"] == "cancelled"
    assert session.query(ImportChunk).count() == 0
    assert client.post(f"/api/v1/imports/{first}/cancel").status_code == 200
    assert post(client, ACCOUNTS, kind="accounts").json()["id"] != first


def test_an_import_that_is_done_cannot_be_cancelled(
    client: TestClient, sessions: SessionFactory
) -> None:
    first = post(client, ACCOUNTS, kind="accounts").json()["id"]
    run_imports(sessions)

    answer = client.post(f"/api/v1/imports/{first}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "job_ended")


def test_an_import_is_a_job_and_leaves_an_audit_entry(client: TestClient, session: Session) -> None:
    started = post(client, ACCOUNTS, kind="accounts").json()

    job = client.get(f"/api/v1/jobs/{started['id']}").json()
    listed = client.get("/api/v1/jobs", params={"kind": "import", "state": "queued"}).json()
    cancelled = client.post(f"/api/v1/jobs/{started['id']}/cancel").json()

    assert (job["kind"], job["progress"]["rows"]) == ("import", 0)
    assert [item["id"] for item in listed["items"]] == [started["id"]]
    assert cancelled["state"] == "cancelled"
    assert client.get("/api/v1/jobs", params={"state": "done"}).json()["items"] == []
    actions = [(row.action, row.subject) for row in session.query(AuditEntry)]
    assert ("import.created", started["id"]) in actions


@pytest.mark.parametrize("path", ["imports/job_nope", "imports/job_nope/errors", "jobs/job_nope"])
def test_unknown_imports_and_jobs_are_not_found(client: TestClient, path: str) -> None:
    assert client.get(f"/api/v1/{path}").json()["code"] == "not_found"
