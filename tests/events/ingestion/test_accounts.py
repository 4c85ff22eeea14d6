"""Group and identify calls set accounts, users and prices, and attribute waiting events."""

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion.attribution import attribute_events
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import alias, group, identify, track, unattributed

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def mrr_periods(session: Session) -> list[tuple[str, int]]:
    """Return the subscription periods as known now: first day and price."""
    found = calls.text_rows(
        session,
        "SELECT DISTINCT ON (s.subscription_id, s.starts_on) starts_on, mrr_cents, ends_on"
        " FROM subscription s ORDER BY s.subscription_id, s.starts_on, known_on DESC",
    )
    return [(str(row[0]), row[1]) for row in found if row[0] != row[2]]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_inside_a_batch_does_not_matter(
    client: TestClient, session: Session, order: tuple[int, ...]
) -> None:
    batch = [
        unattributed("m1"),
        unattributed("m2", userId=None, anonymousId="anon"),
        group(),
        alias("anon"),
    ]

    receipt = calls.ingest(client, *(batch[number] for number in order))

    assert (calls.counts(receipt), receipt["unattributed"]) == ((4, 0, 0), 0)
    assert calls.usage(session) == {
        ("a1", "2026-03-18", "ada", False, "Export"): 1,
        ("a1", "2026-03-18", "anon", True, "Export"): 1,
    }


def test_an_event_without_an_account_waits_and_is_counted_once_it_is_known(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    customer = {"end_customer_id": "c1"}
    receipt = calls.ingest(
        client, unattributed("m1", properties=customer), unattributed("m2", userId="stranger")
    )
    assert (calls.counts(receipt), receipt["unattributed"]) == ((2, 0, 0), 2)
    assert [verdict["code"] for verdict in receipt["events"]] == ["unattributed"] * 2
    assert calls.usage(session).total() == calls.count_rows(session, "event") == 0
    assert attribute_events(sessions, now=NOW) == 0

    with calls.client_at_time(sessions, client, NOW + DAY) as next_day:
        calls.ingest(next_day, group(timestamp=(NOW + DAY).isoformat()))
    assert attribute_events(sessions, now=NOW + DAY) == 1
    assert attribute_events(sessions, now=NOW + DAY) == 0

    assert calls.usage(session) == {("a1", "2026-03-18", "ada", False, "Export"): 1}
    assert calls.usage(session, "known_on = '2026-03-19'").total() == 1
    assert calls.reach(session) == {("a1", "2026-03-18", "c1")}
    assert calls.one_row(session, "SELECT received_at FROM event WHERE message_id = 'm1'") == (NOW,)
    assert calls.count_rows(session, "unattributed_event") == 1
    silent = "SELECT count(*) FROM due WHERE NOT notify AND priority = 1"
    assert calls.one_row(session, silent) == (1,)


def test_a_retry_of_a_waiting_event_is_counted_once(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, unattributed("m1"))
    assert calls.counts(calls.ingest(client, unattributed("m1"))) == (0, 1, 0)

    assert calls.counts(calls.ingest(client, group(), unattributed("m1"))) == (1, 1, 0)
    attribute_events(sessions, now=NOW)
    assert calls.counts(calls.ingest(client, unattributed("m1"))) == (0, 1, 0)

    assert calls.usage(session).total() == 1


def test_waiting_anonymous_events_follow_an_alias_and_an_identify(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    for name in ("web", "phone", "nobody"):
        calls.ingest(client, unattributed(name, userId=None, anonymousId=name))
    calls.ingest(client, group(), alias("web"), identify(anonymousId="phone"))

    assert attribute_events(sessions, now=NOW) == 2

    assert {used[2:4] for used in calls.usage(session)} == {("web", True), ("phone", True)}
    assert calls.count_rows(session, "unattributed_event") == 1


def test_an_anonymous_event_with_an_account_counts_at_once_and_never_twice(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    event = track(userId=None, anonymousId="anon")
    calls.ingest(client, event)
    assert calls.usage(session) == {("a1", "2026-03-18", "anon", True, "Export"): 1}

    calls.ingest(client, identify(anonymousId="anon", context={"groupId": "a1"}), event)
    attribute_events(sessions, now=NOW)

    assert calls.usage(session) == {("a1", "2026-03-18", "anon", True, "Export"): 1}
    assert calls.one_row(session, "SELECT anonymous_id, user_id FROM user_alias") == ("anon", "ada")


@pytest.mark.parametrize(
    "event",
    [
        unattributed(properties={"groupId": "a2"}),
        unattributed(properties={"group_id": "a2"}),
        unattributed(properties={"account_id": "a2"}),
        track(context={"groupId": "a2"}, properties={"account_id": "a3"}),
    ],
)
def test_the_account_of_an_event_overrides_that_of_its_user(
    client: TestClient, session: Session, event: dict[str, Any]
) -> None:
    calls.ingest(client, group(account_id="a1"), event, unattributed("m2"))

    assert {used[0]: count for used, count in calls.usage(session).items()} == {"a1": 1, "a2": 1}


@pytest.mark.parametrize("account_id", ["null", "Undefined", "[object Object]", " ", True, [], "0"])
def test_a_placeholder_is_not_an_account(
    client: TestClient, session: Session, account_id: object
) -> None:
    receipt = calls.ingest(client, track(context={"groupId": account_id}), track("m2"))

    assert (calls.counts(receipt), receipt["events"][0]["code"]) == (
        (1, 0, 1),
        "invalid_account_id",
    )
    assert calls.count_rows(session, "account") == 1


def test_a_placeholder_user_is_dropped_and_the_event_is_stored(
    client: TestClient, session: Session
) -> None:
    receipt = calls.ingest(client, track(userId="undefined"))

    assert calls.warnings(receipt) == ["user_id_ignored"]
    assert calls.usage(session) == {("a1", "2026-03-18", "", True, "Export"): 1}
    assert calls.count_rows(session, '"user"') == 0


def test_known_traits_become_columns_and_others_stay_traits(
    client: TestClient, session: Session
) -> None:
    known = {
        "name": "Acme",
        "plan": "pro",
        "employees": "1,200,000",
        "createdAt": "2025-05-01T10:00Z",
    }

    receipt = calls.ingest(
        client, group(traits={**known, "industry": None, "tier": "gold", "segment": []})
    )

    columns = "SELECT name, plan, employees, started_on, industry, segment, traits FROM account"
    assert calls.one_row(session, columns) == (
        *("Acme", "pro", 1_200_000, date(2025, 5, 1), None, None),
        {"tier": "gold"},
    )
    assert calls.warnings(receipt) == ["invalid_trait"]


def test_traits_of_the_newest_call_win_and_older_ones_fill_gaps(
    client: TestClient, session: Session
) -> None:
    earlier = (NOW - HOUR).isoformat()
    calls.ingest(client, group("g2", traits={"name": "New", "x": 2}))

    old = {"name": "Old", "plan": "pro", "x": 1, "y": 1}
    calls.ingest(client, group("g1", timestamp=earlier, traits=old))

    found = calls.one_row(session, "SELECT name, plan, traits, traits_at FROM account")
    assert found == ("New", "pro", {"x": 2, "y": 1}, NOW)


def test_traits_of_a_user_are_also_read_from_the_context(
    client: TestClient, session: Session
) -> None:
    calls.ingest(client, identify(context={"traits": {"email": "ada@x.example", "seat": 4}}))

    assert calls.one_row(session, 'SELECT email, traits FROM "user"') == (
        "ada@x.example",
        {"seat": 4},
    )


def test_a_user_with_an_internal_address_is_excluded(client: TestClient, session: Session) -> None:
    factories.workspace(session).internal_domains = ["vendor.example"]
    session.commit()

    calls.ingest(
        client,
        identify("i1", userId="eve", traits={"email": "eve@Vendor.example"}),
        identify("i2", userId="bob", traits={"email": "bob@vendor.example.org"}),
    )
    calls.ingest(client, identify("i3", userId="eve", traits={"name": "Eve"}))

    found = calls.text_rows(session, 'SELECT user_id, excluded FROM "user" ORDER BY 1')
    assert found == [("bob", False), ("eve", True)]


def test_a_price_trait_applies_from_the_day_of_its_call(
    client: TestClient, session: Session
) -> None:
    calls.ingest(
        client,
        group("g1", timestamp=(NOW - 9 * DAY).isoformat(), traits={"mrr": 100, "currency": "eur"}),
        group("g2", timestamp=(NOW - 5 * DAY).isoformat(), traits={"mrr": "1,250.50"}),
        group("g3", traits={"name": "Acme"}),
    )

    assert mrr_periods(session) == [("2026-03-09", 100_00), ("2026-03-13", 1250_50)]
    currencies = calls.one_row(session, "SELECT array_agg(DISTINCT currency) FROM subscription")
    assert currencies == (["EUR"],)


def test_the_newest_price_of_a_day_wins_also_when_an_older_one_is_retried(
    client: TestClient, session: Session
) -> None:
    old = group("g1", timestamp=(NOW - 2 * HOUR).isoformat(), traits={"mrr": 100})
    late = group("g2", timestamp=(NOW - HOUR).isoformat(), traits={"mrr": 150})
    calls.ingest(client, old)
    calls.ingest(client, group("g3", traits={"mrr": 200}))

    calls.ingest(client, old)
    calls.ingest(client, late)

    assert mrr_periods(session) == [("2026-03-18", 200_00)]


def test_a_price_trait_is_ignored_with_a_warning_once_a_subscription_is_known(
    client: TestClient, session: Session
) -> None:
    terms = {"account_id": "a1", "starts_on": "2026-01-01", "mrr_cents": 500_00, "currency": "USD"}
    receipt = calls.ingest(client, group("g1", traits={"mrr": 100}))
    assert calls.warnings(receipt) == []
    put = client.put("/api/v1/subscriptions/main", json=terms)
    assert put.status_code == 200, put.text

    receipt = calls.ingest(client, group("g2", traits={"mrr": 120, "name": "Acme"}), track())
    quiet = calls.ingest(client, group("g3", traits={"name": "Acme 2"}))

    assert calls.warnings(receipt) == ["mrr_ignored"]
    assert (receipt["events"][0]["index"], receipt["events"][0]["result"]) == (0, "accepted")
    assert calls.warnings(quiet) == []
    assert 120_00 not in {cents for _, cents in mrr_periods(session)}
    assert calls.one_row(session, "SELECT name FROM account") == ("Acme 2",)
