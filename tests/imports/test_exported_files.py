"""Files as other programs write them: databases, spreadsheets, and our own exports."""

import pytest
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.http.csv_text import format_csv
from app.core.pagination import Paging
from app.imports import queries
from app.imports.kinds import ImportKind
from app.imports.mapping import MappingError
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.tables import Account, Event, Subscription, User
from tests import factories
from tests.imports.files import TextSource, run_import

ACCOUNTS, EVENTS = ImportPlan(ImportKind.ACCOUNTS), ImportPlan(ImportKind.EVENTS)
SUBSCRIPTIONS = ImportPlan(ImportKind.SUBSCRIPTIONS)


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)
    session.commit()


def errors(session: Session, import_id: str) -> list[tuple[int, str, str]]:
    rows = queries.list_errors(session, "acme", import_id, Paging(1000, None)).rows
    return [(row.line, row.code, row.message) for row in rows]


def account_ids(session: Session) -> list[str]:
    return sorted(row.account_id for row in session.query(Account))


@pytest.mark.parametrize("null", ["\\N", "NULL"])
def test_the_null_of_a_database_is_an_empty_cell(
    sessions: SessionFactory, session: Session, null: str
) -> None:
    content = (
        "event,timestamp,account_id,user_id,properties.rows\n"
        f"Export,2026-01-01T10:00:00Z,a1,{null},{null}\n"
        f"Export,2026-01-01T11:00:00Z,{null},{null},5\n"
    )

    job = run_import(sessions, EVENTS, content.encode())

    [stored] = session.query(Event)
    assert (stored.account_id, stored.user_id, stored.properties) == ("a1", None, {})
    assert [(line, code) for line, code, _ in errors(session, job.id)] == [(3, "missing_identity")]
    assert account_ids(session) == ["a1"]


def test_the_null_of_a_database_clears_a_field(sessions: SessionFactory, session: Session) -> None:
    factories.account(session, "a1", name="Before", employees=5)
    session.commit()

    run_import(sessions, ACCOUNTS, b"account_id,name,employees\na1,\\N,\\N\n")

    session.expire_all()
    account = session.get_one(Account, ("acme", "a1"))
    assert (account.name, account.employees) == (None, None)


@pytest.mark.parametrize(
    ("cell", "excluded"), [("t", True), ("f", False), ("Y", True), ("n", False), ("TRUE", True)]
)
def test_flags_are_read_as_databases_write_them(
    sessions: SessionFactory, session: Session, cell: str, *, excluded: bool
) -> None:
    job = run_import(sessions, ACCOUNTS, f"account_id,excluded\na1,{cell}\n".encode())

    assert errors(session, job.id) == []
    assert session.get_one(Account, ("acme", "a1")).excluded is excluded


def test_an_ambiguous_price_or_number_of_seats_is_refused(
    sessions: SessionFactory, session: Session
) -> None:
    content = (
        b"account_id;starts_on;mrr;seats\n"
        b"a1;2026-01-01;2.500;5\na2;2026-01-01;100;1.000\na3;2026-01-01;2500;1000\n"
    )

    job = run_import(sessions, SUBSCRIPTIONS, content)

    rows = [(row.account_id, row.mrr_cents, row.seats) for row in session.query(Subscription)]
    assert rows == [("a3", 2500_00, 1000)]
    assert [(line, code) for line, code, _ in errors(session, job.id)] == [
        (2, "invalid_row"),
        (3, "invalid_row"),
    ]
    assert "thousands" in errors(session, job.id)[0][2]


def test_a_currency_in_another_spelling_is_the_currency_of_the_price(
    sessions: SessionFactory, session: Session
) -> None:
    """Read as dollars, 100 euros would be another price."""
    content = b"Account ID,Starts On,MRR,Currency,renewalOn\na1,2026-01-01,100,EUR,2027-01-01\n"

    run_import(sessions, SUBSCRIPTIONS, content)

    [period] = session.query(Subscription)
    assert (period.account_id, period.mrr_cents, period.currency) == ("a1", 10_000, "EUR")
    assert str(period.renewal_on) == "2027-01-01"


@pytest.mark.parametrize("plan", [ACCOUNTS, EVENTS, SUBSCRIPTIONS])
def test_an_id_that_a_spreadsheet_has_shortened_is_refused(
    sessions: SessionFactory, session: Session, plan: ImportPlan
) -> None:
    head = b"account_id,event,timestamp,starts_on,mrr\n"
    rows = b",Export,2026-01-01T10:00:00Z,2026-01-01,5\n"
    ids = [b"1.23457E+10", b"1E+15", b"1,23457e+10", b"12345678901", b"1e5f"]
    content = head + b"".join(b'"' + each + b'"' + rows for each in ids)

    job = run_import(sessions, plan, content)

    found = errors(session, job.id)
    assert [(line, code) for line, code, _ in found] == [(n, "invalid_row") for n in (2, 3, 4)]
    assert all("account_id" in message and "E+10" not in message for _, _, message in found)
    assert account_ids(session) == ["12345678901", "1e5f"]


def test_shortened_ids_are_refused_in_every_field_of_ids(
    sessions: SessionFactory, session: Session
) -> None:
    content = b"account_id,parent_id,external_ids.crm\na1,1.5E+10,\na2,,1.5E+10\na3,p,7\n"

    job = run_import(sessions, ACCOUNTS, content)

    assert [line for line, _, _ in errors(session, job.id)] == [2, 3]
    assert account_ids(session) == ["a3", "p"]


@pytest.mark.parametrize(
    ("pairs", "name"),
    [
        ([], "name"),
        (["account_id=account_id", "name=note"], "note"),
        (["account_id=account_id", "name={note}"], "note"),
        (["account_id=account_id[note=x]"], "note"),
    ],
)
def test_two_columns_of_one_name_are_refused_if_they_are_read(pairs: list[str], name: str) -> None:
    plan = ImportPlan(ImportKind.ACCOUNTS, mapping=pairs)

    with pytest.raises(MappingError, match=f"two columns named '{name}'"):
        plan.check(TextSource(b"account_id,name,note,name,note\n"))


def test_two_columns_of_one_name_that_are_not_read_do_no_harm() -> None:
    plan = ImportPlan(ImportKind.ACCOUNTS, mapping=["account_id=account_id"])

    plan.check(TextSource(b"account_id,name,note,name,note\n"))


@pytest.mark.parametrize("cell", ["acme ", " acme", "\u00a0acme\t"])
def test_spaces_around_a_cell_do_not_belong_to_it(
    sessions: SessionFactory, session: Session, cell: str
) -> None:
    run_import(sessions, ACCOUNTS, f"account_id,plan\nacme,free\n{cell},pro \n".encode())

    assert account_ids(session) == ["acme"]
    assert session.get_one(Account, ("acme", "acme")).plan == "pro"


def test_spaces_around_ids_of_json_rows_do_not_belong_to_them(
    sessions: SessionFactory, session: Session
) -> None:
    plan = ImportPlan(ImportKind.USERS, FileFormat.NDJSON)
    run_import(sessions, plan, b'{"user_id": " ada ", "account_id": "acme "}')

    assert session.get_one(User, ("acme", "ada")).account_id == "acme"


@pytest.mark.parametrize("account_id", ["+4930123", "=1+1", "-7", "@home", "'quoted"])
def test_a_file_that_we_exported_has_the_same_ids_again(
    sessions: SessionFactory, session: Session, account_id: str
) -> None:
    rows = [{"account_id": account_id, "name": "-"}]
    content = format_csv(["account_id", "name"], rows)

    run_import(sessions, ACCOUNTS, content.encode())

    assert account_ids(session) == [account_id]
    assert session.get_one(Account, ("acme", account_id)).name == "-"


def test_a_template_with_a_blank_id_is_blank(sessions: SessionFactory, session: Session) -> None:
    plan = ImportPlan(ImportKind.ACCOUNTS, mapping=["account_id=acct-{id}", "name={first} {last}"])

    job = run_import(sessions, plan, b"id,first,last\n1,Ada,\n,Bob,B\n\\N,Cy,C\n2,,\n")

    assert [line for line, _, _ in errors(session, job.id)] == [3, 4]
    assert {row.account_id: row.name for row in session.query(Account)} == {
        "acct-1": "Ada",
        "acct-2": None,
    }


def test_errors_contain_no_value_of_a_row(sessions: SessionFactory, session: Session) -> None:
    email = "eve@example.com"
    header = (
        "account_id,starts_on,ends_on,renewal_on,known_on,mrr,currency,seats,notice_days,"
        "billing_period_months,term_months,auto_renews,discount_share,plan\n"
    )
    good = ["a1", "2026-01-01", "", "", "", "5", *[""] * 8]
    bad = [[*good[:n], email, *good[n + 1 :]] for n in range(1, 13)]
    content = header + "\n".join(",".join(row) for row in bad)

    job = run_import(sessions, SUBSCRIPTIONS, content.encode())

    found = errors(session, job.id)
    assert len(found) == 12
    assert [message for _, _, message in found if email in message or "eve" in message] == []


def test_errors_of_json_rows_contain_no_value_of_a_row(
    sessions: SessionFactory, session: Session
) -> None:
    lines = [
        b'{"account_id": "a1", "eve@example.com": 1}',
        b'{"account_id": "a1", "external_ids": {"eve@example.com": "x"}}',
        b'{"account_id": "a1", "feature_exceptions": {"eve@example.com": "eve"}}',
        b'{"account_id": "a1", "employees": "eve"}',
        b'{"account_id": "a1", "parent_id": "a1"}',
    ]

    plan = ImportPlan(ImportKind.ACCOUNTS, FileFormat.NDJSON)
    job = run_import(sessions, plan, b"\n".join(lines))

    found = errors(session, job.id)
    assert [line for line, _, _ in found] == [1, 2, 3, 4, 5]
    assert [message for _, _, message in found if "eve" in message or "a1" in message] == []


def test_times_as_exports_write_them_are_read(sessions: SessionFactory, session: Session) -> None:
    content = (
        b"event,timestamp,account_id\n"
        b"A,2015-05-20 21:34:02 UTC,a1\nB,2015-05-20 21:34:02 -0800,a1\nC,01/02/2026,a1\n"
    )

    job = run_import(sessions, EVENTS, content)

    times = {row.name: row.occurred_at.isoformat() for row in session.query(Event)}
    assert times == {"A": "2015-05-20T21:34:02+00:00", "B": "2015-05-21T05:34:02+00:00"}
    [(line, code, message)] = errors(session, job.id)
    assert (line, code) == (4, "invalid_timestamp")
    assert "2026-03-01T09:00:00Z" in message


def test_a_day_may_be_written_with_a_time_and_an_ambiguous_day_is_refused(
    sessions: SessionFactory, session: Session
) -> None:
    content = (
        b"account_id,started_on\n"
        b"a1,2015-05-20 21:34:02 UTC\na2,2015-05-20 21:34:02 -0800\na3,01/02/2026\n"
    )

    job = run_import(sessions, ACCOUNTS, content)

    days = {row.account_id: str(row.started_on) for row in session.query(Account)}
    assert days == {"a1": "2015-05-20", "a2": "2015-05-20"}
    assert errors(session, job.id) == [
        (4, "invalid_row", "started_on: must be a day in the form YYYY-MM-DD, such as 2026-02-01")
    ]
