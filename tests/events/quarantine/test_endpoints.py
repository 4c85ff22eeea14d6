"""Quarantined events are counted, selected and discarded."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import track
from tests.events.quarantine.actions import DAY, OLD, list_events, run_action

ROUTES = ("/api/v1/quarantine/replay", "/api/v1/quarantine/discard")


def test_a_summary_counts_by_code_key_and_sdk(client: TestClient) -> None:
    library = {"groupId": "a1", "library": {"name": "web", "version": "2"}}
    seconds = count()
    state: Any = client.app
    state.state.clock = lambda: NOW + timedelta(seconds=next(seconds))
    for _ in range(3):
        calls.ingest(client, track("m1", event="", context=library))
    calls.ingest(client, track("m2", event="", context=library), track("m3", **OLD))

    summary = client.get("/api/v1/quarantine/summary").json()

    assert (summary["events"], summary["times"]) == (3, 5)
    first, second = summary["groups"]
    assert (first["code"], first["sdk"], first["events"], first["times"]) == (
        *("missing_event_name", "web/2"),
        *(2, 4),
    )
    assert (second["code"], second["sdk"], second["times"]) == ("too_old", None, 1)
    assert client.get(f"/api/v1/quarantine/{first['example_id']}").json()["message_id"] == "m2"
    assert client.get("/api/v1/quarantine/summary?status=replayed").json()["groups"] == []


def test_a_batch_that_is_stored_twice_because_of_a_lost_answer_counts_once(
    client: TestClient,
) -> None:
    """A retry inside of the service has the time of receipt of the first attempt."""
    for _ in range(2):
        calls.ingest(client, track("m1", event=""))

    summary = client.get("/api/v1/quarantine/summary").json()

    assert (summary["events"], summary["times"]) == (1, 1)


def test_discarded_events_are_not_open_and_not_replayed(
    client: TestClient, session: Session
) -> None:
    calls.ingest(client, track("m1", event=""), track("m2", event=""), track("m3", **OLD))
    numbers = [row["id"] for row in list_events(client, code="missing_event_name")]

    report = run_action(client, "discard", filter={"code": "missing_event_name"})

    assert report == {"selected": 2, "discarded": 2, "skipped": 0, "more": False}
    assert [row["code"] for row in list_events(client)] == ["too_old"]
    assert run_action(client, "discard", ids=numbers)["skipped"] == 2
    again = run_action(client, "replay", ids=numbers)
    assert (again["skipped"], again["results"][0]["code"]) == (2, "not_open")
    assert calls.count_rows(session, "event") == 0


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, {"m1", "m2", "m3"}),
        ({"sdk": "web/1"}, {"m2"}),
        ({"received_from": "2026-03-18T13:00:00+01:00"}, {"m1", "m2", "m3"}),
        ({"received_from": "2026-03-18T12:00:01Z"}, {"m3"}),
        ({"received_to": "2026-03-18T12:00:00Z"}, set()),
        ({"received_to": "2026-03-19T00:00:00Z", "code": "missing_event_name"}, {"m1", "m2"}),
        ({"key_id": "another"}, set()),
    ],
)
def test_a_filter_selects_open_events(
    client: TestClient, sessions: SessionFactory, chosen: dict[str, str], expected: set[str]
) -> None:
    library = {"library": {"name": "web", "version": "1"}}
    calls.ingest(client, track("m1", event=""), track("m2", event="", context=library))
    with calls.client_at_time(sessions, client, NOW + DAY) as tomorrow:
        calls.ingest(tomorrow, track("m3", event=""))

    run_action(client, "discard", filter=chosen)

    assert {row["message_id"] for row in list_events(client, status="discarded")} == expected


def test_each_action_is_audited_except_dry_runs(client: TestClient, session: Session) -> None:
    calls.ingest(client, track("m1", event=""))
    run_action(client, "replay", filter={}, dry_run=True)
    run_action(client, "replay", filter={"code": "missing_event_name"})
    run_action(client, "discard", filter={})

    found = calls.text_rows(
        session,
        "SELECT action, details::text FROM audit_entry WHERE subject = 'quarantine' ORDER BY id",
    )
    assert found == [
        ("quarantine.replayed", '{"events": 1, "filter": {"code": "missing_event_name"}}'),
        ("quarantine.discarded", '{"events": 1, "filter": {}}'),
    ]


def test_one_call_handles_at_most_a_thousand_events_and_reports_more(client: TestClient) -> None:
    for page in range(3):
        calls.ingest(client, *(track(f"m{page}-{n}", event="") for n in range(400)))

    report = run_action(client, "discard", filter={})

    assert (report["discarded"], report["more"]) == (1000, True)
    assert run_action(client, "discard", filter={}) == {
        "selected": 200,
        "discarded": 200,
        "skipped": 0,
        "more": False,
    }


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["12"]},
        {"ids": ["q_x"]},
        {"ids": ["q_1"], "filter": {}},
        {"filter": {"colour": "red"}},
        {"filter": {"received_from": "2026-03-18T12:00:00"}},
        {"filter": {"received_to": 1773835200}},
        {"filter": {"sdk": "a\x00b"}},
        {"filter": None},
        {"ids": [f"q_{n}" for n in range(1001)]},
    ],
)
def test_an_invalid_selection_is_refused(client: TestClient, route: str, body: object) -> None:
    answer = client.post(route, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("route", ROUTES)
def test_an_unknown_id_is_not_found_and_nothing_changes(client: TestClient, route: str) -> None:
    calls.ingest(client, track("m1", event=""))
    known = list_events(client)[0]["id"]

    answer = client.post(route, json={"ids": [known, "q_999999999999999999"]})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert len(list_events(client)) == 1
