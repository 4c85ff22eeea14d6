"""Parents and external ids in imports of accounts."""

import pytest
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.core.db import SessionFactory
from app.core.pagination import Paging
from app.imports import queries
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.tables import Account, ExternalId
from tests import factories
from tests.conftest import NOW
from tests.imports.files import run_import

HEAD = b"account_id,name,parent_id,external_ids.stripe\n"


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)
    session.commit()


def parents(session: Session) -> dict[str, str | None]:
    session.expire_all()
    return {row.account_id: row.parent_id for row in session.query(Account)}


def external(session: Session) -> set[tuple[str, str, str]]:
    rows = session.query(ExternalId)
    return {(row.account_id, row.system, row.external_id) for row in rows}


def errors(session: Session, import_id: str) -> list[tuple[int, str, str]]:
    rows = queries.list_errors(session, "acme", import_id, Paging(1000, None)).rows
    return [(row.line, row.code, row.message) for row in rows]


def test_a_child_may_come_before_its_parent_and_ids_stay_texts(
    sessions: SessionFactory, session: Session
) -> None:
    content = HEAD + b"child,Child,top,0012\ntop,Top,,cus_1\nlate,Late,not in the file,\n"

    job = run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), content)

    assert errors(session, job.id) == []
    assert parents(session) == {
        "child": "top",
        "top": None,
        "late": "not in the file",
        "not in the file": None,
    }
    assert external(session) == {("child", "stripe", "0012"), ("top", "stripe", "cus_1")}


def test_a_blank_parent_removes_the_parent_and_a_blank_id_changes_nothing(
    sessions: SessionFactory, session: Session
) -> None:
    run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), HEAD + b"child,Child,top,cus_1\n")

    run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), HEAD + b"child,Child,,\n")

    assert parents(session)["child"] is None
    assert external(session) == {("child", "stripe", "cus_1")}


def test_json_may_contain_several_ids_and_null_removes_them(
    sessions: SessionFactory, session: Session
) -> None:
    plan = ImportPlan(ImportKind.ACCOUNTS, FileFormat.NDJSON)
    first = b'{"account_id": "a1", "external_ids": {"stripe": ["c1", "c2"], "crm": "x"}}'
    run_import(sessions, plan, first)
    assert external(session) == {("a1", "stripe", "c1"), ("a1", "stripe", "c2"), ("a1", "crm", "x")}

    run_import(sessions, plan, b'{"account_id": "a1", "external_ids": {"stripe": null}}')

    assert external(session) == {("a1", "crm", "x")}


def test_a_cycle_and_a_taken_id_are_row_errors_and_the_rest_is_stored(
    sessions: SessionFactory, session: Session
) -> None:
    content = HEAD + b"a,A,b,cus_1\nb,B,a,cus_2\nc,C,,cus_1\nd,D,null,\n"

    job = run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), content)

    row_errors = errors(session, job.id)
    assert [(line, code) for line, code, _ in row_errors] == [
        (3, "invalid_row"),
        (4, "invalid_row"),
        (5, "invalid_account_id"),
    ]
    assert row_errors[0][2] == "parent_id: is the account itself or below it"
    assert row_errors[1][2] == "external_ids: an id already belongs to another account"
    assert (job.progress["stored"], job.progress["rejected"]) == (1, 3)
    assert parents(session) == {"a": "b", "b": None, "c": None}
    assert session.get_one(Account, ("acme", "c")).name == "C"


def test_a_former_parent_id_is_replaced_by_the_current_one(
    sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "new")
    aliases.put(session, "acme", "old", "new", now=NOW)
    session.commit()

    run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), HEAD + b"child,Child,old,\n")

    assert parents(session) == {"child": "new", "new": None}
