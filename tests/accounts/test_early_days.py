"""A day before 1900 of a contract, an account or a goal is a mistake, such as the year 0026."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.pagination import Paging
from app.imports import queries
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.tables import Account, Subscription
from tests import factories
from tests.events import calls
from tests.imports.files import run_import

EARLY, LATE = "0026-01-05", "1900-01-01"
GOAL = {"account_id": "a1", "title": "Send", "metric": "events", "baseline": 0, "target": 5}
TERMS = {"account_id": "a1", "mrr_cents": 100_00}
FROM_1900 = "day from 1900-01-01 on: write the year with four digits, such as 2026"


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("subscriptions/s", TERMS, "starts_on"),
        ("subscriptions/s", TERMS | {"starts_on": LATE}, "ends_on"),
        ("subscriptions/s", TERMS, "renewal_on"),
        ("accounts/a1", {}, "started_on"),
        ("goals/g", GOAL | {"due_on": "2030-01-01"}, "starts_on"),
        ("goals/g", GOAL, "due_on"),
        ("feedback-items/f", {"account_id": "a1", "kind": "request", "text": "x"}, "due_on"),
    ],
)
def test_the_api_says_what_to_write(
    client: TestClient, path: str, body: dict[str, Any], name: str
) -> None:
    answer = client.put(f"/api/v1/{path}", json=body | {name: EARLY})

    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, f"/body/{name}")
    assert FROM_1900 in error["message"]


def test_the_end_of_a_subscription_is_not_before_1900(client: TestClient) -> None:
    client.put("/api/v1/subscriptions/s", json=TERMS)

    answer = client.post("/api/v1/subscriptions/s/end", json={"account_id": "a1", "ends_on": EARLY})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/ends_on")


@pytest.mark.parametrize("file_format", FileFormat)
@pytest.mark.parametrize("name", ["starts_on", "known_on", "ends_on", "renewal_on"])
def test_an_import_refuses_the_row(
    sessions: SessionFactory, session: Session, name: str, file_format: FileFormat
) -> None:
    factories.workspace(session)
    days = {"starts_on": LATE, name: EARLY}
    if file_format is FileFormat.CSV:
        columns, cells = ",".join(days), ",".join(days.values())
        content = f"account_id,mrr_cents,{columns}\na1,100,{cells}\n"
    else:
        members = ",".join(f'"{key}":"{day}"' for key, day in days.items())
        content = f'{{"account_id":"a1","mrr_cents":100,{members}}}\n'

    plan = ImportPlan(ImportKind.SUBSCRIPTIONS, format=file_format)
    job = run_import(sessions, plan, content.encode())

    [error] = queries.list_errors(session, "acme", job.id, Paging(10, None)).rows
    assert (error.code, session.query(Subscription).count()) == ("invalid_row", 0)
    assert error.message.startswith(f"{name}: ")
    assert FROM_1900 in error.message


def test_an_import_of_accounts_refuses_the_row(sessions: SessionFactory, session: Session) -> None:
    factories.workspace(session)
    content = f"account_id,started_on\na1,{EARLY}\na2,{LATE}\n"

    job = run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), content.encode())

    assert (job.progress["rejected"], [row.account_id for row in session.query(Account)]) == (
        1,
        ["a2"],
    )


def test_an_event_is_warned_of(client: TestClient, session: Session) -> None:
    traits = {"created_at": EARLY, "mrr": 100, "renewal_date": EARLY}

    receipt = calls.ingest(client, calls.group("g1", "a1", traits=traits))

    assert calls.warnings(receipt) == ["invalid_trait"]
    account, terms = session.query(Account).one(), session.query(Subscription).one()
    assert (account.started_on, terms.renewal_on) == (None, None)
