"""Usage and reach equal a recount in Python, whatever the order and the batches."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, claim_due
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import UsageKey, group, identify, track

DAY = timedelta(days=1)


def random_event(random: Random, number: int) -> dict[str, Any]:
    """An event with an account; some are views, anonymous, untimed, or have end customers."""
    at = NOW - random.randrange(3) * DAY + timedelta(seconds=number)
    kind = random.choice(["track", "track", "page", "screen", "identify"])
    event: dict[str, Any] = {
        "type": kind,
        "messageId": f"m{number}",
        "timestamp": at.isoformat() if random.random() < 0.9 else None,
        "userId": random.choice(["ada", "bob", None]),
        "anonymousId": random.choice(["web", "phone"]),
        "event": random.choice(["Export", "Import"]),
        "name": "Home",
        "context": {"groupId": random.choice(["a1", "a2", "a3"])},
        "properties": {"customer_id": random.choice(["c1", "c2", None, "null"])},
    }
    if random.random() < 0.3:
        event["properties"]["end_customer_ids"] = random.sample(["c1", "c2", "c3", 4], 2)
    if kind == "identify":
        event["userId"] = "ada"
    return {name: value for name, value in event.items() if value is not None}


def recount(events: list[dict[str, Any]]) -> tuple[Counter[UsageKey], set[tuple[str, str, str]]]:
    """Count usage and reach of the events in Python."""
    used: Counter[UsageKey] = Counter()
    reached = set()
    for event in events:
        if event["type"] == "identify":
            continue
        account_id, day = event["context"]["groupId"], event.get("timestamp", str(NOW))[:10]
        user_id, anonymous_id = event.get("userId"), event["anonymousId"]
        name = event["event"] if event["type"] == "track" else "Viewed Home"
        used[(account_id, day, user_id or anonymous_id, user_id is None, name)] += 1
        properties = event["properties"]
        named = [properties["customer_id"], *properties.get("end_customer_ids", [])]
        reached |= {(account_id, day, str(each)) for each in named if each not in {None, "null"}}
    return used, reached


@pytest.mark.parametrize("seed", range(8))
def test_usage_and_reach_equal_a_recount_whatever_the_order_and_the_batches(
    client: TestClient, session: Session, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a test wants the same numbers again
    events = [random_event(random, number) for number in range(60)]
    sent = [*events, *random.sample(events, 20)]
    random.shuffle(sent)
    cuts = [0, *sorted(random.sample(range(1, len(sent)), 4)), len(sent)]

    receipts = [calls.ingest(client, *sent[start:end]) for start, end in pairwise(cuts)]

    used, reached = recount(events)
    assert (
        sum(each["accepted"] for each in receipts)
        == len(events)
        == calls.count_rows(session, "event")
    )
    assert sum(each["duplicates"] for each in receipts) == 20
    assert calls.usage(session) == used
    assert calls.reach(session) == reached
    first_days = {
        account_id: min(day for account, day, *_ in used if account == account_id)
        for account_id in {account for account, *_ in used}
    }
    found = calls.text_rows(session, "SELECT account_id, min(day)::text FROM first_use GROUP BY 1")
    assert dict(found) == first_days


def test_a_late_event_counts_on_its_day_with_the_day_it_became_known(
    client: TestClient, session: Session
) -> None:
    calls.ingest(client, track(timestamp=(NOW - 3 * DAY).isoformat()))

    days = "SELECT day::text, known_on::text FROM"
    assert calls.one_row(session, f"{days} daily_usage") == ("2026-03-15", "2026-03-18")
    assert calls.one_row(session, f"{days} first_use") == ("2026-03-15", "2026-03-18")


def test_an_account_with_only_late_events_is_due_without_notification(
    client: TestClient, session: Session
) -> None:
    late = (NOW - DAY).isoformat()
    calls.ingest(
        client,
        track("m1", timestamp=late, context={"groupId": "late"}),
        track("m2", timestamp=late, context={"groupId": "both"}),
        track("m3", context={"groupId": "both"}),
        track("m4", event="", context={"groupId": "quarantined"}),
    )

    claimed = [
        (due.account_id, due.priority, due.notify)
        for _ in range(2)
        for due in claim_due(session, limit=9)
    ]

    assert claimed == [("both", Priority.LIVE, True), ("late", Priority.SILENT, False)]
    assert calls.count_rows(session, "due") == 0


def test_a_duplicate_does_not_make_an_account_due(client: TestClient, session: Session) -> None:
    calls.ingest(client, track())
    assert [due.account_id for due in claim_due(session, limit=9)] == ["a1"]

    calls.ingest(client, track())

    assert claim_due(session, limit=9) == []


def test_event_names_beyond_the_limit_are_counted_as_other(
    client: TestClient, session: Session
) -> None:
    session.execute(
        text(
            "INSERT INTO event_name SELECT 'acme', 'name ' || n, false, now()"
            " FROM generate_series(1, :many) AS n"
        ),
        {"many": 1999},
    )
    session.commit()

    receipt = calls.ingest(
        client,
        *(track("m1", event="A first"), track("m2", event="B beyond")),
        *(track("m3", event="name 7"), track("m4", event="C beyond")),
    )
    again = calls.ingest(client, track("m5", event="D beyond"), track("m6", event="A first"))

    assert calls.warnings(receipt) == ["event_name_limit"] * 2
    assert calls.warnings(again) == ["event_name_limit"]
    counted = {used[4]: count for used, count in calls.usage(session).items()}
    assert counted == {"A first": 2, "name 7": 1, "other": 3}
    assert calls.one_row(session, "SELECT name FROM event WHERE message_id = 'm2'") == ("B beyond",)
    assert calls.count_rows(session, "event_name") == 2000


def test_the_names_of_views_are_marked_as_views(client: TestClient, session: Session) -> None:
    calls.ingest(client, track(), track("m2", type="page", name="Home"))

    names = calls.text_rows(session, "SELECT name, is_view FROM event_name ORDER BY 1")
    assert names == [("Export", False), ("Viewed Home", True)]


def test_identity_calls_and_impersonation_are_stored_and_not_counted(
    client: TestClient, session: Session
) -> None:
    properties = {"impersonated": True, "end_customer_id": "c1"}

    receipt = calls.ingest(
        client, group(), identify(), calls.alias("anon"), track(properties=properties)
    )

    assert calls.counts(receipt) == (4, 0, 0)
    assert calls.count_rows(session, "event") == 4
    tables = ("daily_usage", "daily_reach", "event_name", "first_use")
    assert [calls.count_rows(session, table) for table in tables] == [0, 0, 0, 0]


def test_the_keys_of_end_customers_and_the_reach_property_are_settings(
    client: TestClient, session: Session
) -> None:
    workspace = factories.workspace(session)
    workspace.end_customer_keys, workspace.reach_property = ["client"], "recipients"
    session.commit()

    calls.ingest(
        client,
        track("m1", properties={"client": 7, "customer_id": "c2", "recipients": 12.4}),
        track("m2", properties={"recipients": 3}),
        track("m3", properties={"recipients": -5}),
        track("m4", properties={"recipients": "many"}),
    )

    assert calls.reach(session) == {("a1", "2026-03-18", "7")}
    assert calls.one_row(session, "SELECT quantity FROM daily_usage") == (15,)


def test_a_database_error_rolls_back_the_whole_batch(client: TestClient, session: Session) -> None:
    """Quarantined events are written in the transaction of the accepted ones: all or nothing."""
    session.execute(
        text(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '53100'; END $$"
        )
    )
    session.execute(
        text("CREATE TRIGGER refuse BEFORE INSERT ON daily_reach EXECUTE FUNCTION refuse()")
    )
    session.commit()
    batch = [
        track("m1"),
        track("m2", event=""),
        track("m3", properties={"end_customer_id": "c1"}),
        group(traits={"mrr": 5}),
    ]

    answer = calls.post_batch(client, *batch)

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert 20 <= int(answer.headers["retry-after"]) <= 30
    assert set(calls.table_counts(session).values()) == {0}
    session.execute(text("DROP TRIGGER refuse ON daily_reach"))
    session.commit()
    assert calls.counts(calls.ingest(client, *batch)) == (3, 0, 1)
