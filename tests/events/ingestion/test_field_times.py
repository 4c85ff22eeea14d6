"""Of each field the newest value counts, in whatever order and requests the calls arrive."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests import factories
from tests.events import calls
from tests.events.arrivals import MIDNIGHT, at, stored
from tests.events.calls import group, identify, track
from tests.lifecycle.id_changes import move_account

ACCOUNT = (
    "SELECT name, plan, owner, employees, parent_id, traits FROM account WHERE account_id = '{}'"
)
USER = "SELECT account_id, email, name, role, excluded, traits FROM \"user\" WHERE user_id = '{}'"


def test_an_account_has_the_newest_value_of_each_field_in_every_order_of_arrival(
    client: TestClient, session: Session
) -> None:
    """02:00 says plan, tier and parent; 03:00 tier and owner; 04:00 plan, name and parent."""
    events = [
        group("g2", "x", timestamp=at(2), traits={"plan": "old", "tier": 2, "parent_id": "p2"}),
        group("g3", "x", timestamp=at(3), traits={"tier": None, "owner": "Ines", "y": 3}),
        group("g4", "x", timestamp=at(4), traits={"plan": "new", "name": "N", "parent_id": "p4"}),
        group("g6", "x", timestamp=at(6), traits={"employees": 6, "external_ids": {"crm": "c"}}),
    ]

    found = stored(client, session, events, ACCOUNT)

    newest = ("N", "new", "Ines", 6, "p4", {"y": 3, "tier": None})
    assert found == {repr(newest)}


def test_a_user_has_the_newest_value_of_each_field_in_every_order_of_arrival(
    client: TestClient, session: Session
) -> None:
    events = [
        identify("i1", userId="x", timestamp=at(1), traits={"role": "admin", "email": "old@a.b"}),
        group("g2", "a2", userId="x", timestamp=at(2)),
        identify("i4", userId="x", timestamp=at(4), traits={"email": "new@a.b", "seat": 4}),
        group("g3", "a3", userId="x", timestamp=at(3)),
    ]

    found = stored(client, session, events, USER)

    assert found == {repr(("a3", "new@a.b", None, "admin", False, {"seat": 4}))}


@pytest.mark.parametrize(("back", "account"), [(None, None), (5, "a1"), (3, None)])
def test_who_left_an_account_stays_out_when_the_call_by_which_they_joined_comes_later(
    client: TestClient, session: Session, back: float | None, account: str | None
) -> None:
    """Joined a1 at 02:00, left it at 04:00, and perhaps joined again."""
    joins = [group("g2", "a1", userId="x", timestamp=at(2))]
    if back:
        joins.append(group("g5", "a1", userId="x", timestamp=at(back)))
    left = track("b1", event="Account Removed User", userId="x", timestamp=at(4))

    assert stored(client, session, [*joins, left], USER) == {
        repr((account, None, None, None, False, {}))
    }


def test_who_moved_on_stays_in_the_new_account_when_they_leave_the_old_one(
    client: TestClient, session: Session
) -> None:
    events = [
        group("g1", "a1", userId="x", timestamp=at(1)),
        group("g2", "a2", userId="x", timestamp=at(2)),
        track("b3", event="Account Removed User", userId="x", timestamp=at(3)),
        identify("i4", userId="x", timestamp=at(4), traits={"role": "admin"}),
    ]

    found = stored(client, session, events, USER)

    assert found == {repr(("a2", None, None, "admin", False, {}))}


def test_of_two_calls_of_one_time_the_greater_message_id_counts(
    client: TestClient, session: Session
) -> None:
    events = [
        group("g1", "x", timestamp=at(2), traits={"plan": "one", "tier": 1}),
        group("g2", "x", timestamp=at(2), traits={"plan": "two"}),
        group("g0", "x", timestamp=at(2), traits={"plan": "zero", "tier": 0}),
    ]

    assert stored(client, session, events, ACCOUNT) == {
        repr((None, "two", None, None, None, {"tier": 1}))
    }


def test_calls_without_a_time_count_in_the_order_of_their_batch(
    client: TestClient, session: Session
) -> None:
    batch = [group(f"g{19 - n}", timestamp=None, traits={"plan": f"p{n}"}) for n in range(12)]

    calls.ingest(client, *batch)

    assert calls.one_row(session, "SELECT plan FROM account") == ("p11",)


def test_an_api_call_counts_with_the_time_of_its_request(
    client: TestClient, session: Session
) -> None:
    """The request comes at noon: calls of 11:00 change only what it does not state."""
    late = {"name": "Late", "owner": "Late", "industry": "late", "region": "late", "z": "late"}
    fields = {"name": None, "owner": "Ines", "traits": {"region": None}}
    for account_id, method in (("put", client.put), ("patch", client.patch)):
        calls.ingest(client, group(f"{account_id}1", account_id, timestamp=at(1), traits={"y": 1}))
        answer = method(f"/api/v1/accounts/{account_id}", json=fields)
        assert answer.status_code == 200, answer.text
        calls.ingest(client, group(f"{account_id}2", account_id, timestamp=at(11), traits=late))

    found = "SELECT name, owner, industry, traits FROM account ORDER BY account_id"
    assert calls.text_rows(session, found) == [
        (None, "Ines", "late", {"y": 1, "z": "late"}),
        (None, "Ines", None, {}),
    ]


def test_a_newer_call_changes_what_the_api_set(client: TestClient, session: Session) -> None:
    client.put("/api/v1/accounts/a1", json={"name": "Set", "owner": "Ines"})

    calls.ingest(client, group(timestamp=at(12.05), traits={"name": "New"}))

    assert calls.one_row(session, "SELECT name, owner FROM account") == ("New", "Ines")


def test_an_older_internal_address_does_not_exclude_a_user_whom_the_api_included(
    client: TestClient, session: Session
) -> None:
    factories.workspace(session).internal_domains = ["vendor.example"]
    session.commit()
    internal = {"email": "eve@vendor.example"}
    for user_id in ("late", "new"):
        client.put(f"/api/v1/users/{user_id}", json={"excluded": False, "email": "e@x.example"})

    calls.ingest(client, identify("i1", userId="late", timestamp=at(11), traits=internal))
    calls.ingest(client, identify("i2", userId="new", timestamp=at(12.05), traits=internal))

    found = calls.text_rows(session, 'SELECT user_id, email, excluded FROM "user" ORDER BY 1')
    assert found == [("late", "e@x.example", False), ("new", "eve@vendor.example", True)]


def test_fields_from_an_earlier_release_are_as_old_as_their_row(
    client: TestClient, session: Session
) -> None:
    """Such a row has no times: it was written at 06:00. Older calls fill only its gaps."""
    factories.account(
        session, "a1", name="Six", traits={"tier": 6}, traits_at=MIDNIGHT + timedelta(hours=6)
    )
    late = {"name": "Five", "tier": 5, "owner": "Five", "region": "five"}

    calls.ingest(client, group("g7", timestamp=at(7), traits={"plan": "seven"}))
    calls.ingest(client, group("g5", timestamp=at(5), traits=late))
    calls.ingest(client, group("g55", timestamp=at(5.5), traits={"name": "5", "owner": "5"}))
    calls.ingest(client, group("g8", timestamp=at(8), traits={"tier": 8}))

    found = "SELECT name, plan, owner, traits FROM account"
    assert calls.one_row(session, found) == (
        *("Six", "seven", "5"),
        {"tier": 8, "region": "five"},
    )


def test_a_merge_keeps_the_times_of_the_values_that_it_keeps(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """The target keeps its name, of 02:00, and gets the other account's owner, of 04:00."""
    calls.ingest(client, group("g2", "target", timestamp=at(2), traits={"name": "T"}))
    calls.ingest(client, group("g4", "other", timestamp=at(4), traits={"name": "O", "owner": "O"}))
    move_account(client, sessions, "other", "merge", into="target")

    calls.ingest(client, group("g3", "other", timestamp=at(3), traits={"name": "3", "owner": "3"}))

    found = "SELECT name, owner FROM account WHERE account_id = 'target'"
    assert calls.one_row(session, found) == ("3", "O")


def test_the_erasure_of_a_person_leaves_no_times(client: TestClient, session: Session) -> None:
    calls.ingest(client, identify(traits={"email": "ada@x.example", "secret": 1}))
    assert client.delete("/api/v1/users/ada").status_code == 202

    found = "SELECT count(*) FROM \"user\" WHERE CAST(field_times AS text) LIKE '%secret%'"
    assert calls.one_row(session, found) == (0,)
