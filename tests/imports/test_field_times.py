"""A row of an import states its columns at the time of the import."""

from datetime import timedelta

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, identify
from tests.imports.files import run_import

LATE, NEW = (NOW - timedelta(hours=1)).isoformat(), (NOW + timedelta(minutes=1)).isoformat()


def test_older_calls_do_not_change_the_columns_of_an_account_import(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "parent")
    session.commit()
    content = b"account_id,name,parent_id,traits.region\na1,File,parent,emea\n"
    run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), content)

    late = {"name": "Late", "owner": "Late", "region": "late", "parent_id": "late-parent"}
    calls.ingest(client, group("g1", timestamp=LATE, traits=late))
    calls.ingest(client, group("g2", timestamp=NEW, traits={"region": "new"}))

    found = "SELECT name, owner, parent_id, traits FROM account WHERE account_id = 'a1'"
    assert calls.one_row(session, found) == ("File", "Late", "parent", {"region": "new"})


def test_older_calls_do_not_change_the_columns_of_a_user_import(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    content = b"user_id,account_id,email,traits.seat\nada,a1,file@x.example,1\n"
    run_import(sessions, ImportPlan(ImportKind.USERS), content)

    late = {"email": "late@x.example", "role": "admin", "seat": 2}
    calls.ingest(client, identify("i1", timestamp=LATE, traits=late))
    calls.ingest(client, group("g1", "a2", timestamp=LATE))

    found = "SELECT account_id, email, role, traits FROM \"user\" WHERE user_id = 'ada'"
    assert calls.one_row(session, found) == ("a1", "file@x.example", "admin", {"seat": 1})


def test_an_import_into_a_row_of_an_earlier_release_keeps_the_age_of_other_fields(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """The row is of 11:30; the import states only the name."""
    half_past = NOW - timedelta(minutes=30)
    factories.account(session, "a1", name="Old", owner="Old", traits_at=half_past)
    session.commit()
    run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), b"account_id,name\na1,File\n")

    late = {"name": "Late", "owner": "Late", "industry": "late"}
    calls.ingest(client, group("g1", timestamp=LATE, traits=late))

    found = "SELECT name, owner, industry FROM account"
    assert calls.one_row(session, found) == ("File", "Old", "late")
