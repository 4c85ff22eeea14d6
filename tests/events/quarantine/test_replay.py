"""Quarantined events are replayed with their original receive time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion import service
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.queries import BatchOrigin
from app.events.quarantine.replay import ReplayContext, replay_events
from app.events.reading.batch import Batch, parse_batch
from app.events.reading.canonical import EventRules
from app.events.reading.native import parse_call as native
from app.events.reading.times import ReceiveContext
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import NATIVE, group, track, unattributed
from tests.events.quarantine.actions import (
    DAY,
    OLD,
    edit_payloads,
    list_events,
    run_action,
    with_longer_retention,
)


def test_events_are_replayed_with_current_rules_at_their_own_time(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, track("m1", **OLD), track("m2", event="", **OLD))

    with with_longer_retention(sessions, client) as later:
        report = run_action(later, "replay", filter={"code": "too_old"})

    assert (report["selected"], report["replayed"], report["quarantined"]) == (2, 1, 1)
    stored = calls.one_row(session, "SELECT message_id, received_at, known_on::text FROM event")
    assert stored == ("m1", NOW, "2026-03-19")
    day, known_on = calls.one_row(session, "SELECT day::text, known_on::text FROM daily_usage")
    assert (day, known_on) == ((NOW - 500 * DAY).date().isoformat(), "2026-03-19")
    assert calls.one_row(session, "SELECT priority, notify FROM due") == (1, False)
    [quarantined] = list_events(client)
    assert (quarantined["message_id"], quarantined["code"], quarantined["pointer"]) == (
        *("m2", "missing_event_name"),
        "/event",
    )
    assert [row["message_id"] for row in list_events(client, status="replayed")] == ["m1"]
    assert len(list_events(client, status="all")) == 2


def test_a_dry_run_gives_the_same_report_and_changes_nothing(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(
        client,
        *(track("m1", **OLD), track("m1", **OLD, event="Other"), track("m3", event="")),
        *(unattributed("m4", **OLD), group("g1", **OLD, traits={"name": "A"})),
    )
    before = calls.table_counts(session)

    with with_longer_retention(sessions, client) as later:
        tried = run_action(later, "replay", filter={}, dry_run=True)
        assert calls.table_counts(session) == before
        assert len(list_events(client)) == 5
        done = run_action(later, "replay", filter={})

    assert tried.pop("dry_run") is True
    assert done.pop("dry_run") is False
    assert tried == done
    assert (done["replayed"], done["duplicates"], done["quarantined"]) == (3, 1, 1)


def test_an_event_stored_in_the_meantime_is_a_duplicate(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, track("m1", **OLD))
    with with_longer_retention(sessions, client) as later:
        calls.ingest(later, track("m1", **OLD))
        report = run_action(later, "replay", filter={})

    assert (report["replayed"], report["duplicates"]) == (0, 1)
    assert report["results"][0]["result"] == "duplicate"
    assert calls.count_rows(session, "event") == 1
    assert list_events(client) == []


def test_an_event_without_id_and_time_is_stored_once_at_its_receive_time(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    client.post(NATIVE, json={"event": "Export", "account_id": "null"})
    number = list_events(client)[0]["id"]
    edit_payloads(session, "null", "a1")

    with calls.client_at_time(sessions, client, NOW + DAY) as later:
        report = run_action(later, "replay", ids=[number])

    assert report["replayed"] == 1
    assert calls.one_row(session, "SELECT message_id, occurred_at FROM event") == (
        f"{number}:0",
        NOW,
    )
    assert calls.one_row(session, "SELECT day::text FROM daily_usage") == ("2026-03-18",)


def test_the_sending_time_is_stored_with_the_quarantined_event(
    client: TestClient, session: Session
) -> None:
    """It corrects a clock that is two days ahead; without it the event would be in the future."""
    ahead = (NOW + 2 * DAY).isoformat()
    event = track("m1", timestamp=ahead, event="")
    client.post("/v1/batch", json={"batch": [event], "sentAt": ahead})
    edit_payloads(session, '"event":""', '"event":"E"')

    assert run_action(client, "replay", filter={})["replayed"] == 1
    assert calls.one_row(session, "SELECT occurred_at, skew_seconds FROM event") == (NOW, 172800)


def test_a_payload_that_was_cut_is_skipped(client: TestClient, session: Session) -> None:
    calls.ingest(client, track("m1", properties={"x": "é" * 300_000}))

    report = run_action(client, "replay", filter={})

    assert (report["skipped"], report["results"][0]["code"]) == (1, "payload_cut")
    assert "64 KiB" in report["results"][0]["detail"]
    assert list_events(client)[0]["code"] == "event_too_large"
    assert calls.count_rows(session, "event") == 0


@pytest.mark.parametrize(
    "event", [track(event=""), {"type": "track"}, 7, "text", None, ["x"], {"type": {"a": [1]}}]
)
def test_an_event_that_fails_again_with_the_same_code_is_unchanged(
    client: TestClient, event: object
) -> None:
    client.post("/v1/batch", json={"batch": [event]})
    before = list_events(client)

    report = run_action(client, "replay", filter={})

    assert report["quarantined"] == 1
    assert list_events(client) == before


def test_a_line_that_is_not_json_stays_quarantined(client: TestClient) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    client.post(NATIVE, content='{"event": "E"}\n{broken', headers=headers)
    before = list_events(client, code="invalid_json")

    assert run_action(client, "replay", filter={"code": "invalid_json"})["quarantined"] == 1
    assert list_events(client, code="invalid_json") == before
    assert "line 2" in before[0]["detail"]


def test_replayed_events_have_their_own_counter(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, track("m1", **OLD), track("m2"))
    with with_longer_retention(sessions, client) as later:
        run_action(later, "replay", filter={})
        totals = later.get("/api/v1/ingest/stats").json()["totals"]

    assert (totals["received"], totals["accepted"], totals["quarantined"]) == (2, 1, 1)
    assert totals["replayed"] == 1


def test_imported_rows_are_replayed_as_history(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    policy = service.IngestPolicy(EventRules(), "USD", oldest=None)
    event = {"event": "", "account_id": "a1", "timestamp": OLD["timestamp"], "message_id": "f:1"}
    reading = parse_batch(Batch([event]), native, EventRules(), ReceiveContext(NOW, oldest=None))
    with sessions.begin() as writing:
        service.store_batch(
            writing, BatchOrigin("acme", "import", NOW), reading, policy, KnownEventNames()
        )
    edit_payloads(session, '"event":""', '"event":"E"')

    assert run_action(client, "replay", filter={"key_id": "import"})["replayed"] == 1
    assert calls.one_row(session, "SELECT known_on = day FROM daily_usage") == (True,)


@pytest.fixture
def quarantine_old_events(committed: SessionFactory) -> Callable[[int], list[int]]:
    """Quarantine old events, each in its own request; return their numbers."""

    def quarantine(count: int) -> list[int]:
        policy = service.IngestPolicy(EventRules(), "USD", oldest=NOW - 400 * DAY)
        for n in range(count):
            at = NOW + n * timedelta(seconds=1)
            event = {"event": "E", "account_id": "a1", "message_id": f"m{n}", **OLD}
            reading = parse_batch(
                Batch([event]), native, EventRules(), ReceiveContext(at, policy.oldest)
            )
            with committed.begin() as session:
                factories.workspace(session)
                service.store_batch(
                    session, BatchOrigin("acme", "k", at), reading, policy, KnownEventNames()
                )
        with committed() as session:
            return [
                row[0] for row in calls.text_rows(session, "SELECT number FROM quarantined_event")
            ]

    return quarantine


def test_concurrent_replays_store_each_event_once(
    committed: SessionFactory, quarantine_old_events: Callable[[int], list[int]]
) -> None:
    numbers = quarantine_old_events(20)
    pipeline = ReplayContext(
        committed, "acme", EventRules(), "USD", 800, datetime(2026, 3, 19, tzinfo=UTC)
    )

    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(
                lambda _: replay_events(pipeline, numbers, dry_run=False), range(4), timeout=120
            )
        )

    assert sum(result.result == "replayed" for results in found for result in results) == 20
    with committed() as session:
        assert calls.count_rows(session, "event") == 20
        assert calls.one_row(session, "SELECT sum(events) FROM daily_usage") == (20,)
        assert calls.one_row(session, "SELECT sum(replayed) FROM ingest_tally") == (20,)
        assert calls.one_row(session, "SELECT DISTINCT status FROM quarantined_event") == (
            "replayed",
        )
