"""What was put aside is tried again, as if it came again when it first came."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events import service
from app.events.batch import Batch, read
from app.events.canonical import Rules
from app.events.names import KnownNames
from app.events.native import read as native
from app.events.queries import Origin
from app.events.replay import Pipeline, replay
from app.events.times import Received
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.aside import DAY, OLD, listed, longer, mend, post
from tests.events.calls import NATIVE, group, loose, track


def test_events_pass_under_the_rules_of_today_and_at_their_own_time(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.receipt(client, track("m1", **OLD), track("m2", event="", **OLD))

    with longer(sessions, client) as later:
        said = post(later, "replay", filter={"code": "too_old"})

    assert (said["selected"], said["replayed"], said["quarantined"]) == (2, 1, 1)
    stored = calls.one(session, "SELECT message_id, received_at, known_on::text FROM event")
    assert stored == ("m1", NOW, "2026-03-19")
    day, known_on = calls.one(session, "SELECT day::text, known_on::text FROM daily_usage")
    assert (day, known_on) == ((NOW - 500 * DAY).date().isoformat(), "2026-03-19")
    assert calls.one(session, "SELECT priority, notify FROM due") == (1, False)
    [kept] = listed(client)
    assert (kept["message_id"], kept["code"], kept["pointer"]) == (
        *("m2", "missing_event_name"),
        "/event",
    )
    assert [row["message_id"] for row in listed(client, status="replayed")] == ["m1"]
    assert len(listed(client, status="all")) == 2


def test_a_dry_run_tells_the_same_and_changes_nothing(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.receipt(
        client,
        *(track("m1", **OLD), track("m1", **OLD, event="Other"), track("m3", event="")),
        *(loose("m4", **OLD), group("g1", **OLD, traits={"name": "A"})),
    )
    before = calls.everything(session)

    with longer(sessions, client) as later:
        tried = post(later, "replay", filter={}, dry_run=True)
        assert calls.everything(session) == before
        assert len(listed(client)) == 5
        done = post(later, "replay", filter={})

    assert tried.pop("dry_run") is True
    assert done.pop("dry_run") is False
    assert tried == done
    assert (done["replayed"], done["duplicates"], done["quarantined"]) == (3, 1, 1)


def test_what_was_stored_in_the_meantime_is_a_duplicate(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.receipt(client, track("m1", **OLD))
    with longer(sessions, client) as later:
        calls.receipt(later, track("m1", **OLD))
        said = post(later, "replay", filter={})

    assert (said["replayed"], said["duplicates"]) == (0, 1)
    assert said["results"][0]["result"] == "duplicate"
    assert calls.rows(session, "event") == 1
    assert listed(client) == []


def test_an_event_without_id_and_time_is_stored_once_and_as_of_its_receipt(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    client.post(NATIVE, json={"event": "Export", "account_id": "null"})
    number = listed(client)[0]["id"]
    mend(session, "null", "a1")

    with calls.at(sessions, client, NOW + DAY) as later:
        said = post(later, "replay", ids=[number])

    assert said["replayed"] == 1
    assert calls.one(session, "SELECT message_id, occurred_at FROM event") == (f"{number}:0", NOW)
    assert calls.one(session, "SELECT day::text FROM daily_usage") == ("2026-03-18",)


def test_the_time_of_sending_is_remembered(client: TestClient, session: Session) -> None:
    """A clock two days ahead is corrected by it; without it the event would lie in the future."""
    ahead = (NOW + 2 * DAY).isoformat()
    event = track("m1", timestamp=ahead, event="")
    client.post("/v1/batch", json={"batch": [event], "sentAt": ahead})
    mend(session, '"event":""', '"event":"E"')

    assert post(client, "replay", filter={})["replayed"] == 1
    assert calls.one(session, "SELECT occurred_at, skew_seconds FROM event") == (NOW, 172800)


def test_a_payload_that_was_cut_is_not_tried(client: TestClient, session: Session) -> None:
    calls.receipt(client, track("m1", properties={"x": "é" * 300_000}))

    said = post(client, "replay", filter={})

    assert (said["skipped"], said["results"][0]["code"]) == (1, "payload_cut")
    assert "64 KiB" in said["results"][0]["detail"]
    assert listed(client)[0]["code"] == "event_too_large"
    assert calls.rows(session, "event") == 0


@pytest.mark.parametrize(
    "event", [track(event=""), {"type": "track"}, 7, "text", None, ["x"], {"type": {"a": [1]}}]
)
def test_what_is_as_wrong_as_it_was_stays_as_it_is(client: TestClient, event: object) -> None:
    client.post("/v1/batch", json={"batch": [event]})
    before = listed(client)

    said = post(client, "replay", filter={})

    assert said["quarantined"] == 1
    assert listed(client) == before


def test_a_line_that_is_not_json_stays_one(client: TestClient) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    client.post(NATIVE, content='{"event": "E"}\n{broken', headers=headers)
    before = listed(client, code="invalid_json")

    assert post(client, "replay", filter={"code": "invalid_json"})["quarantined"] == 1
    assert listed(client, code="invalid_json") == before
    assert "line 2" in before[0]["detail"]


def test_what_is_replayed_is_told_apart_in_the_statistics(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.receipt(client, track("m1", **OLD), track("m2"))
    with longer(sessions, client) as later:
        post(later, "replay", filter={})
        totals = later.get("/api/v1/ingest/stats").json()["totals"]

    assert (totals["received"], totals["accepted"], totals["quarantined"]) == (2, 1, 1)
    assert totals["replayed"] == 1


def test_rows_of_a_file_are_tried_as_history(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    policy = service.Policy(Rules(), "USD", oldest=None)
    event = {"event": "", "account_id": "a1", "timestamp": OLD["timestamp"], "message_id": "f:1"}
    reading = read(Batch([event]), native, Rules(), Received(NOW, oldest=None))
    with sessions.begin() as writing:
        service.store(writing, Origin("acme", "import", NOW), reading, policy, KnownNames())
    mend(session, '"event":""', '"event":"E"')

    assert post(client, "replay", filter={"key_id": "import"})["replayed"] == 1
    assert calls.one(session, "SELECT known_on = day FROM daily_usage") == (True,)


@pytest.fixture
def put_aside(committed: SessionFactory) -> Callable[[int], list[int]]:
    """Put old events aside, each in a request of its own; returns their numbers."""

    def make(count: int) -> list[int]:
        policy = service.Policy(Rules(), "USD", oldest=NOW - 400 * DAY)
        for n in range(count):
            at = NOW + n * timedelta(seconds=1)
            event = {"event": "E", "account_id": "a1", "message_id": f"m{n}", **OLD}
            reading = read(Batch([event]), native, Rules(), Received(at, policy.oldest))
            with committed.begin() as session:
                factories.workspace(session)
                service.store(session, Origin("acme", "k", at), reading, policy, KnownNames())
        with committed() as session:
            return [
                row[0] for row in calls.text_rows(session, "SELECT number FROM quarantined_event")
            ]

    return make


def test_two_who_replay_the_same_store_each_event_once(
    committed: SessionFactory, put_aside: Callable[[int], list[int]]
) -> None:
    numbers = put_aside(20)
    pipeline = Pipeline(committed, "acme", Rules(), "USD", 800, datetime(2026, 3, 19, tzinfo=UTC))

    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda _: replay(pipeline, numbers, dry_run=False), range(4), timeout=120)
        )

    assert sum(result.result == "replayed" for results in found for result in results) == 20
    with committed() as session:
        assert calls.rows(session, "event") == 20
        assert calls.one(session, "SELECT sum(events) FROM daily_usage") == (20,)
        assert calls.one(session, "SELECT sum(replayed) FROM ingest_tally") == (20,)
        assert calls.one(session, "SELECT DISTINCT status FROM quarantined_event") == ("replayed",)
