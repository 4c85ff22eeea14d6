"""Rows of accounts, users and subscriptions, from cells and from JSON."""

import pytest
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.core.db import SessionFactory
from app.core.pagination import Paging
from app.imports import queries
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.tables import Account, Subscription, User
from tests import factories
from tests.conftest import NOW
from tests.imports.files import run_import


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session).internal_domains = ["ours.example"]
    session.commit()


def errors(session: Session, import_id: str) -> list[tuple[int, str]]:
    rows = queries.list_errors(session, "acme", import_id, Paging(1000, None)).rows
    return [(row.line, row.code) for row in rows]


def test_accounts_are_created_and_given_fields_are_changed(
    sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "a1", name="Before", owner="ines", traits={"tier": 1})
    session.commit()
    content = (
        b"account_id,name,employees,traits.region\n"
        b"a1,Now,250,emea\na2,,x,\na3,Three,,\nundefined,U,1,\n,V,1,\n"
    )

    job = run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), content)

    session.expire_all()
    first = session.get_one(Account, ("acme", "a1"))
    assert (first.name, first.owner, first.employees) == ("Now", "ines", 250)
    assert first.traits == {"tier": 1, "region": "emea"}
    assert session.get_one(Account, ("acme", "a3")).employees is None
    assert errors(session, job.id) == [
        (3, "invalid_row"),
        (5, "invalid_account_id"),
        (6, "invalid_row"),
    ]


def test_accounts_as_json_have_the_fields_of_the_api(
    sessions: SessionFactory, session: Session
) -> None:
    lines = [
        b'{"account_id": "a1", "name": "1", "excluded": true, "feature_exceptions": {"sso": true}}',
        b'{"account_id": "a1", "plan": "pro"}',
        b'{"account_id": "a2", "nonsense": 1}',
        b'{"account_id": "a3", "started_on": 5}',
    ]

    job = run_import(
        sessions, ImportPlan(ImportKind.ACCOUNTS, FileFormat.NDJSON), b"\n".join(lines)
    )

    account = session.get_one(Account, ("acme", "a1"))
    assert (account.name, account.plan, account.excluded) == ("1", "pro", True)
    assert account.feature_exceptions == {"sso": True}
    assert errors(session, job.id) == [(3, "invalid_row"), (4, "invalid_row")]


def test_users_create_their_accounts_and_internal_users_are_excluded(
    sessions: SessionFactory, session: Session
) -> None:
    content = (
        b"user_id,account_id,email\n"
        b"ada,acme,ada@acme.example\nbob,acme,bob@ours.example\nguest,acme,\ncy,null,\n"
    )

    job = run_import(sessions, ImportPlan(ImportKind.USERS), content)

    ada, bob = (session.get_one(User, ("acme", name)) for name in ("ada", "bob"))
    assert (ada.account_id, ada.account_since, ada.excluded) == ("acme", NOW, False)
    assert bob.excluded
    assert session.get(Account, ("acme", "acme"))
    assert errors(session, job.id) == [(4, "missing_identity"), (5, "invalid_account_id")]


def test_subscriptions_are_periods_known_from_their_start(
    sessions: SessionFactory, session: Session
) -> None:
    content = (
        b"account_id,starts_on,ends_on,mrr,currency,seats\n"
        b'a1,2026-01-01,2026-06-30,"1,200.50",eur,5\n'
        b"a1,2026-07-01,,99,,\n"
        b"a1,2026-07-01,2026-06-01,99,,\na1,soon,,99,,\na1,2026-01-01,,-5,,\n"
    )

    job = run_import(sessions, ImportPlan(ImportKind.SUBSCRIPTIONS), content)

    rows = session.query(Subscription).order_by(Subscription.starts_on).all()
    assert [(row.mrr_cents, row.currency, row.seats, row.source) for row in rows] == [
        (120_050, "EUR", 5, "import"),
        (99_00, "USD", None, "import"),
    ]
    assert [row.known_on for row in rows] == [row.starts_on for row in rows]
    assert [code for _, code in errors(session, job.id)] == ["invalid_row"] * 3


def test_rows_with_a_former_account_id_go_to_the_current_account(
    sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "new")
    aliases.put(session, "acme", "old", "new", now=NOW)
    session.commit()

    run_import(sessions, ImportPlan(ImportKind.USERS), b"user_id,account_id\nada,old\n")

    assert session.get_one(User, ("acme", "ada")).account_id == "new"
    assert session.get(Account, ("acme", "old")) is None
