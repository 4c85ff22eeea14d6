"""Accounts that got the traits of a person, as older versions stored them."""

from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.subscription_queries import write_periods
from app.accounts.subscription_service import TRAITS
from app.accounts.subscriptions import Period, Terms
from app.accounts.tables import Account
from app.core.db import SessionFactory
from app.doctor.faults import Run
from app.doctor.person_traits import check_person_traits
from tests.conftest import NOW
from tests.events.calls import group, identify, ingest, one_row

ADA = {"email": "ada@example.org", "name": "Ada", "plan": "solo", "mrr": 77, "city": "Oslo"}
ACME, OF_ADA = Terms("pro", 500_00, "USD", None), Terms("solo", 77_00, "USD", None)
REST = {"email": "ada@example.org", "city": "Oslo"}
PERIODS = (
    "SELECT array_agg((starts_on, ends_on, mrr_cents)::text ORDER BY starts_on) FROM ("
    "SELECT DISTINCT ON (starts_on) * FROM subscription ORDER BY starts_on, known_on DESC) s"
)


def store_prices(session: Session) -> None:
    """500 from January on, ended by the 77 of Ada from March on."""
    january, march = date(2026, 1, 1), date(2026, 3, 1)
    for known_on, periods in (
        (january, [Period(january, None, ACME)]),
        (march, [Period(january, march, ACME), Period(march, None, OF_ADA)]),
    ):
        changes = {TRAITS: periods}
        write_periods(session, "acme", "a1", changes, source=TRAITS, known_on=known_on)


def store_as_older_versions(client: TestClient, session: Session) -> None:
    """Acme pays 500 from January on. A call of Ada on 1 March gives Acme her traits."""
    ingest(
        client,
        identify("i1", userId="ada", traits=ADA),
        group("g1", userId="ada", traits={}),
    )
    account = session.get_one(Account, ("acme", "a1"))
    account.name, account.plan, account.segment = "Ada", "solo", "smb"
    account.traits = REST | {"region": "emea"}
    store_prices(session)
    session.commit()


def test_the_fields_of_the_person_are_emptied_and_the_older_price_runs_on(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, session)

    faults = list(check_person_traits(Run(sessions, "acme", NOW, dry=False)))

    names = "city, email, mrr, name, plan"
    assert [(f.account_id, f.found) for f in faults] == [
        ("a1", f"It has the traits of a person: {names}.")
    ]
    account = one_row(session, "SELECT name, plan, segment, traits FROM account")
    assert account == (None, None, "smb", {"region": "emea"})
    assert one_row(session, PERIODS) == (["(2026-01-01,,50000)", "(2026-03-01,2026-03-01,7700)"],)
    assert list(check_person_traits(Run(sessions, "acme", NOW, dry=False))) == []


def test_a_dry_run_reports_the_same_and_changes_nothing(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, session)
    state = "SELECT to_jsonb(a) FROM account a"
    before = one_row(session, state), one_row(session, PERIODS)

    faults = list(check_person_traits(Run(sessions, "acme", NOW, dry=True)))

    assert len(faults) == 1
    assert (one_row(session, state), one_row(session, PERIODS)) == before


def test_the_own_address_of_a_company_stays(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """The address is that of a member who never sent a group call for the company."""
    ingest(
        client,
        group("g1", userId="bob", traits={"email": "ada@example.org"}),
        identify("i1", userId="ada", traits=ADA),
    )

    assert list(check_person_traits(Run(sessions, "acme", NOW, dry=False))) == []
    assert one_row(session, "SELECT traits FROM account") == ({"email": "ada@example.org"},)


def test_the_address_of_an_erased_person_is_reported(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(client, session)
    # an erasure deletes the person and the user id in events, and keeps a hash of the id
    for statement in (
        'DELETE FROM "user"',
        "UPDATE event SET user_id = NULL",
        "INSERT INTO tombstone VALUES ('acme', 'x', 'user', 'e1', now())",
    ):
        session.connection().exec_driver_sql(statement)
    session.commit()

    faults = list(check_person_traits(Run(sessions, "acme", NOW, dry=False)))

    assert [(fault.account_id, fault.repair) for fault in faults] == [("a1", None)]
    assert "ada" not in faults[0].found


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_later_price_does_not_bring_the_person_s_price_back(
    client: TestClient, sessions: SessionFactory, session: Session, when: str
) -> None:
    """The seats of 10 March are added to 500. Without the repair they were added to 77."""
    store_as_older_versions(client, session)
    seats = group("g2", userId="bob", traits={"seats": 5}, timestamp="2026-03-10T09:00:00Z")
    if when == "before":
        ingest(client, seats)

    list(check_person_traits(Run(sessions, "acme", NOW, dry=False)))
    ingest(client, seats if when == "after" else {**seats, "messageId": "g3"})

    mrr = client.get("/api/v1/accounts/a1/mrr").json()
    assert mrr["mrr_cents"] == {"USD": 500_00}
