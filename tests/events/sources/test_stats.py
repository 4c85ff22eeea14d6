"""The statistics equal the receipts, however many tallies were aggregated."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion.attribution import attribute_events
from app.events.sources import monitoring, queries
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import NATIVE, group, track, unattributed

DAY = timedelta(days=1)
RECEIPT = ("received", "accepted", "duplicates", "quarantined", "erased", "unattributed")


def stats(client: TestClient, **params: str) -> dict[str, Any]:
    answer = client.get("/api/v1/ingest/stats", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def of_sdk(name: str, **fields: object) -> dict[str, Any]:
    library = {"name": name, "version": "1"}
    return track(**{"context": {"groupId": "a1", "library": library}, **fields})


@pytest.mark.parametrize("seed", range(4))
def test_statistics_equal_the_receipts_before_during_and_after_aggregation(
    client: TestClient, sessions: SessionFactory, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a test wants the same numbers again
    expected: Counter[str] = Counter()
    for _ in range(8):
        batch = [
            random.choice(
                [
                    of_sdk("web", messageId=f"w{random.randrange(30)}"),
                    track(f"t{random.randrange(30)}", event=random.choice(["Export", ""])),
                    unattributed(f"l{random.randrange(30)}", userId="nobody"),
                    track(f"d{random.randrange(9)}", timestamp=(NOW - DAY).isoformat()),
                ]
            )
            for _ in range(random.randrange(1, 12))
        ]
        receipt = calls.ingest(client, *batch)
        expected.update({name: receipt[name] for name in RECEIPT})
        if random.random() < 0.4:
            monitoring.aggregate_stats(sessions)
        assert {name: stats(client)["totals"][name] for name in RECEIPT} == dict(expected)

    monitoring.aggregate_stats(sessions)
    assert monitoring.aggregate_stats(sessions) == 0

    body = stats(client)
    assert {name: body["totals"][name] for name in RECEIPT} == dict(expected)
    for name in RECEIPT:
        assert sum(sender[name] for sender in body["senders"]) == expected[name]
        assert (
            sum(day[name] for sender in body["senders"] for day in sender["days"]) == expected[name]
        )


def test_each_key_and_sdk_has_its_own_counts_codes_and_days(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(
        client,
        of_sdk("web", messageId="m1"),
        of_sdk("web", messageId="m1"),
        of_sdk("web", messageId="m2", event=""),
        of_sdk("app", messageId="m3", timestamp=(NOW - 3 * DAY).isoformat()),
        of_sdk("app", messageId="m4", timestamp="soon"),
    )
    with calls.client_at_time(sessions, client, NOW + DAY) as tomorrow:
        calls.ingest(tomorrow, of_sdk("web", messageId="m5"))
        body = stats(tomorrow)

    app, web = body["senders"]
    assert (app["sdk"], app["accepted"], app["late"]) == ("app/1", 1, 1)
    assert app["quarantined_by_code"] == {"invalid_timestamp": 1}
    assert (web["received"], web["accepted"], web["duplicates"]) == (4, 2, 1)
    assert web["quarantined_by_code"] == {"missing_event_name": 1}
    assert [(day["day"], day["received"]) for day in web["days"]] == [
        ("2026-03-18", 3),
        ("2026-03-19", 1),
    ]
    assert web["last_received_at"] == "2026-03-19T12:00:00Z"
    assert web["key_name"] == "test"


def test_the_sdk_of_a_quarantined_native_event_is_counted(client: TestClient) -> None:
    client.post(NATIVE, json={"event": "", "account_id": "a1", "sdk": "mine"})

    assert [sender["sdk"] for sender in stats(client)["senders"]] == ["mine"]


def test_attributed_events_are_counted_once_as_received(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, unattributed("m1"), unattributed("m2"))
    calls.ingest(client, group())
    attribute_events(sessions, now=NOW)

    totals = stats(client)["totals"]

    assert (totals["received"], totals["accepted"]) == (3, 3)
    assert (totals["unattributed"], totals["attributed"]) == (2, 2)


def test_days_and_keys_can_be_chosen(client: TestClient, sessions: SessionFactory) -> None:
    calls.ingest(client, track())
    key = stats(client)["senders"][0]["key_id"]
    monitoring.aggregate_stats(sessions)

    assert stats(client, key_id=key)["totals"]["received"] == 1
    assert stats(client, key_id="another")["totals"]["received"] == 0
    assert stats(client, **{"from": "2026-03-18", "to": "2026-03-18"})["totals"]["received"] == 1
    assert stats(client, **{"from": "2026-03-01", "to": "2026-03-17"})["senders"] == []
    assert stats(client)["first_day"] == "2026-03-12"


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-03-19", "to": "2026-03-18"},
        {"from": "2020-01-01", "to": "2026-03-18"},
        {"from": "yesterday"},
        {"to": "9999-12-31", "from": "9999-12-31"},
        {"to": "9999-12-31"},
        {"until": "9999-12-31"},
    ],
)
def test_an_invalid_period_is_refused(client: TestClient, params: dict[str, str]) -> None:
    answer = client.get("/api/v1/ingest/stats", params=params)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


def test_all_tallies_are_aggregated_in_several_pages(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    many = queries.TALLIES_PER_PAGE * 2 + 1
    session.execute(
        text(
            "INSERT INTO ingest_tally (workspace_id, key_id, sdk, code, at, received, accepted)"
            " SELECT 'acme', 'k', '', '', :at, 1, 1 FROM generate_series(1, :many)"
        ),
        {"at": NOW, "many": many},
    )
    session.commit()

    assert monitoring.aggregate_stats(sessions) == many
    assert calls.count_rows(session, "ingest_hour") == 1
    assert stats(client)["totals"]["received"] == many


def test_old_hours_are_dropped(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, track())
    monitoring.aggregate_stats(sessions)

    queries.drop_old_hours(session, before=NOW - DAY)
    assert calls.count_rows(session, "ingest_hour") == 1
    queries.drop_old_hours(session, before=NOW + DAY)
    assert calls.count_rows(session, "ingest_hour") == 0


def test_waiting_events_are_counted_by_key_and_sdk(
    client: TestClient, sessions: SessionFactory
) -> None:
    library = {"library": {"name": "web", "version": "1"}}
    with calls.client_at_time(sessions, client, NOW - DAY) as yesterday:
        calls.ingest(yesterday, unattributed("m1", timestamp=(NOW - DAY).isoformat()))
    calls.ingest(client, *(track(f"w{n}", context=library) for n in range(3)))

    body = client.get("/api/v1/unattributed").json()

    assert (body["events"], body["oldest_received_at"]) == (4, "2026-03-17T12:00:00Z")
    assert [(each["sdk"], each["events"]) for each in body["senders"]] == [("web/1", 3), (None, 1)]


def test_without_waiting_events_all_counts_are_zero(client: TestClient) -> None:
    body = client.get("/api/v1/unattributed").json()

    assert body == {"events": 0, "oldest_received_at": None, "senders": []}
