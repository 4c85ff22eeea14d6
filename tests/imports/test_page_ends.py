"""What an import does with lines of one key does not depend on where its pages end."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.imports import service
from app.imports.import_job import Importer
from app.imports.kinds import ImportKind
from app.imports.loaders import ROWS_PER_PAGE, RowPageLoader
from app.imports.plan import ImportPlan
from app.jobs.runner import JobRunner
from app.tables import Account, AccountAlias, ImportPeriod, Job, Subscription, User
from tests import factories
from tests.conftest import NOW
from tests.imports.files import run_import, run_imports, start_import
from tests.imports.test_subscription_periods import HEADER, NO_ID, counts, messages, mrr, warnings

SUBSCRIPTIONS = ImportPlan(ImportKind.SUBSCRIPTIONS)
PAGE_SIZES = [1, 2, 3, ROWS_PER_PAGE]
pytestmark = pytest.mark.parametrize("page_size", PAGE_SIZES)


@pytest.fixture(autouse=True)
def _pages(session: Session, page_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RowPageLoader, "page_size", page_size)
    factories.workspace(session)


def stored(session: Session) -> list[tuple[str, str, int]]:
    rows = session.query(Subscription).order_by(Subscription.account_id, Subscription.starts_on)
    return [(row.account_id, row.subscription_id, row.mrr_cents) for row in rows]


def test_two_terms_of_one_period_are_refused_and_name_each_other(
    sessions: SessionFactory, session: Session
) -> None:
    rows = (
        b"a,s,100,2026-01-01,\n",
        b"b,s,70,2026-01-01,\n",
        b"c,s,70,2026-01-01,\n",
        b"a,s,150,2026-01-01,\n",
        b"b,s,70,2026-01-01,\n",
    )

    job = run_import(sessions, SUBSCRIPTIONS, HEADER + b"".join(rows))

    found = messages(session, job)
    assert [(line, code) for line, code, _ in found] == [
        (2, "conflicting_periods"),
        (5, "conflicting_periods"),
    ]
    assert ["(line 5)" in found[0][2], "(line 2)" in found[1][2]] == [True, True]
    assert counts(job) == (2, 1, 2)
    assert stored(session) == [("b", "s", 70_00), ("c", "s", 70_00)]
    assert session.query(ImportPeriod).count() == 0


def test_a_base_and_an_add_on_without_ids_are_refused(
    sessions: SessionFactory, session: Session
) -> None:
    rows = (
        b"a,base,100,2026-01-01\n",
        b"b,base,70,2026-01-01\n",
        b"c,base,60,2026-01-01\n",
        b"a,add-on,50,2026-01-01\n",
    )

    job = run_import(sessions, SUBSCRIPTIONS, NO_ID + b"".join(rows))

    assert [line for line, _, _ in messages(session, job)] == [2, 5]
    assert stored(session) == [("b", "main", 70_00), ("c", "main", 60_00)]


def test_a_refused_line_leaves_what_an_earlier_import_stored(
    sessions: SessionFactory, client: TestClient
) -> None:
    run_import(sessions, SUBSCRIPTIONS, HEADER + b"a,s,80,2026-01-01,\n")

    rows = b"a,s,100,2026-01-01,\nb,s,70,2026-01-01,\na,s,150,2026-01-01,\n"
    job = run_import(sessions, SUBSCRIPTIONS, HEADER + rows)

    assert counts(job) == (1, 0, 2)
    assert mrr(client, "a", "2026-03-18") == 80_00


def test_a_dry_run_refuses_the_same_lines(sessions: SessionFactory, session: Session) -> None:
    rows = b"a,s,100,2026-01-01,\nb,s,70,2026-01-01,\na,s,150,2026-01-01,\n"

    job = run_import(sessions, ImportPlan(ImportKind.SUBSCRIPTIONS, dry_run=True), HEADER + rows)

    assert [line for line, _, _ in messages(session, job)] == [2, 4]
    assert (counts(job), stored(session)) == ((1, 0, 2), [])


def test_former_ids_of_accounts_are_the_same_account(
    sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "new")
    session.add(AccountAlias(workspace_id="acme", account_id="old", target_id="new", known_at=NOW))
    session.flush()
    rows = b"old,s,100,2026-01-01,\nb,s,70,2026-01-01,\nnew,s,150,2026-01-01,\n"

    job = run_import(sessions, SUBSCRIPTIONS, HEADER + rows)

    assert [line for line, _, _ in messages(session, job)] == [2, 4]


def test_a_row_that_the_database_refuses_does_not_hide_a_contradiction(
    sessions: SessionFactory, session: Session
) -> None:
    rows = (
        b"a,base,100,2026-01-01\n",
        b"b,nul\0,70,2026-01-01\n",
        b"a,add-on,50,2026-01-01\n",
    )

    job = run_import(sessions, SUBSCRIPTIONS, NO_ID + b"".join(rows))

    refused = [(line, code) for line, code, _ in messages(session, job)]
    assert [each for each in refused if each[0] != 3] == [
        (2, "conflicting_periods"),
        (4, "conflicting_periods"),
    ]
    assert "a" not in [account for account, _, _ in stored(session)]


def test_a_line_names_ten_others_and_counts_the_rest(
    sessions: SessionFactory, session: Session
) -> None:
    """15 lines: each names ten others, and 15 - 1 - 10 = 4 are counted."""
    rows = b"".join(b"a,s,%d,2026-01-01,\n" % price for price in range(1, 16))

    found = messages(session, run_import(sessions, SUBSCRIPTIONS, HEADER + rows))

    assert [line for line, _, _ in found] == [*range(2, 17)]
    assert "(line 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 4 more)" in found[0][2]
    assert "(line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 4 more)" in found[14][2]


@pytest.mark.parametrize("steps", range(1, 9))
def test_a_killed_import_refuses_the_same_lines(
    sessions: SessionFactory, session: Session, steps: int
) -> None:
    """Another worker goes on after so many pages, in the first or in the second reading."""
    rows = b"a,s,100,2026-01-01,\nb,s,70,2026-01-01,\nc,s,60,2026-01-01,\na,s,150,2026-01-01,\n"
    import_id = start_import(sessions, SUBSCRIPTIONS, HEADER + rows)
    killed = JobRunner(sessions, {service.UPLOAD_JOB: Importer(read_ahead=False)})
    for _ in range(steps):
        killed.step(NOW)
    session.execute(text("UPDATE job SET lease_until = started_at WHERE state = 'running'"))
    session.expire_all()

    run_imports(sessions)

    job = session.get_one(Job, import_id, populate_existing=True)
    assert [line for line, _, _ in messages(session, job)] == [2, 5]
    assert (job.state, counts(job)) == ("done", (2, 0, 2))
    assert stored(session) == [("b", "s", 70_00), ("c", "s", 60_00)]


@pytest.mark.parametrize("dry_run", [True, False])
def test_products_that_shorten_each_other_are_warned_of(
    sessions: SessionFactory,
    dry_run: bool,  # noqa: FBT001
) -> None:
    """A correction that is known later is not shortened, nor is a period that was stored before."""
    unnamed = b"a,base,100,2026-01-01\nb,base,70,2026-01-01\na,add-on,50,2026-02-01\n"
    overlap = (
        b"c,s,150,2026-02-01,2027-02-01,\n",
        b"c,s,120,2026-03-01,2027-03-01,\n",
        b"d,s,70,2026-01-01,2027-01-01,\n",
        b"d,s,70,2026-01-01,2026-07-01,2026-06-01\n",
        b"c,s,100,2026-01-01,2027-01-01,\n",
        b"c,s,100,2026-01-01,2027-01-01,\n",
        b"e,s,100,2026-01-01,2027-01-01,\n",
        b"f,s,100,2026-03-01,,\n",
    )
    stored_before = b"e,s,110,2026-04-01,\nf,s,90,2026-01-01,2027-01-01\n"
    run_import(sessions, SUBSCRIPTIONS, HEADER + stored_before)

    def load(content: bytes, mapping: tuple[str, ...] = ()) -> dict[str, int]:
        plan = ImportPlan(SUBSCRIPTIONS.kind, mapping=mapping, dry_run=dry_run)
        return warnings(run_import(sessions, plan, content))

    assert load(NO_ID + unnamed) == {"shortened_periods": 1}
    assert load(NO_ID + unnamed, SAME) == {"shortened_periods": 1}
    assert load(KNOWN + b"".join(overlap)) == {"shortened_periods": 3}


KNOWN = HEADER.replace(b"\n", b",known_on\n")
SAME = tuple(f"{name}={name}" for name in ("account_id", "plan", "mrr", "starts_on"))


def test_of_several_lines_of_an_account_the_last_value_of_each_field_counts(
    sessions: SessionFactory, session: Session
) -> None:
    rows = b"a,First,smb,gold,1\nb,Other,smb,,2\na,Last,,silver,\n"
    header = b"account_id,name,segment,traits.tier,traits.size\n"

    job = run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), header + rows)

    accounts = session.query(Account).order_by(Account.account_id)
    assert counts(job) == (3, 0, 0)
    assert [(each.account_id, each.name, each.segment, each.traits) for each in accounts] == [
        ("a", "Last", None, {"tier": "silver", "size": 1}),
        ("b", "Other", "smb", {"size": 2}),
    ]


def test_of_several_lines_of_a_user_the_last_value_of_each_field_counts(
    sessions: SessionFactory, session: Session
) -> None:
    rows = b"a,First,a@example.com,acme,red\nb,Other,,acme,\na,Last,,other,blue\n"
    header = b"user_id,name,email,account_id,traits.team\n"

    job = run_import(sessions, ImportPlan(ImportKind.USERS), header + rows)

    users = session.query(User).order_by(User.user_id)
    assert counts(job) == (3, 0, 0)
    assert [(each.user_id, each.name, each.account_id, each.traits) for each in users] == [
        ("a", "Last", "other", {"team": "blue"}),
        ("b", "Other", "acme", {}),
    ]
