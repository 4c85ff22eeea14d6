"""A byte-order mark in a file or in an id makes no other account."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.tables import Account, Subscription, User
from tests import factories
from tests.events import calls
from tests.imports.files import run_import
from tests.imports.test_exported_files import account_ids, errors

MARK = "\ufeff"


def test_byte_order_marks_in_a_table_make_no_other_account(
    sessions: SessionFactory, session: Session
) -> None:
    """Files that were put together have marks at the starts of lines, in headers and in quotes."""
    content = (
        f'{MARK}"{MARK}account_id",{MARK}name\n'
        f'acme,A\n"{MARK}acme",B\n{MARK}"acme",C\n"ac{MARK}me",{MARK}D\n'
    )

    factories.workspace(session)
    job = run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), content.encode())

    assert errors(session, job.id) == []
    assert [(row.account_id, row.name) for row in session.query(Account)] == [("acme", "D")]


@pytest.mark.parametrize("written", [f"{MARK}acme", f" {MARK}acme{MARK} ", f"ac{MARK}me"])
def test_byte_order_marks_in_ids_make_no_other_account(
    sessions: SessionFactory, session: Session, client: TestClient, written: str
) -> None:
    factories.workspace(session)
    rows = f'{{"account_id":"acme","parent_id":"top"}}\n{{"account_id":"{written}"}}\n'
    run_import(sessions, ImportPlan(ImportKind.ACCOUNTS, FileFormat.NDJSON), rows.encode())
    price = f'{{"account_id":"{written}","subscription_id":"{written}","mrr":1,'
    price += '"starts_on":"2026-01-01"}\n'
    run_import(sessions, ImportPlan(ImportKind.SUBSCRIPTIONS, FileFormat.NDJSON), price.encode())
    traits = {"parent_id": f"{MARK}top", "external_ids": {"crm": written}}
    calls.ingest(client, calls.group("g1", written, traits=traits))
    calls.ingest(client, calls.track(userId=f"{MARK}ada", context={"groupId": written}))

    assert account_ids(session) == ["acme", "top"]
    assert [row.user_id for row in session.query(User)] == ["ada"]
    assert {row.subscription_id for row in session.query(Subscription)} == {"acme"}
