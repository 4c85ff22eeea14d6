"""The routes of PostHog SDKs: recorded requests, keys in bodies, results for each event."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls, exchanges

RECORDED = datetime(2026, 11, 29, 22, 0, tzinfo=UTC)
V1 = "/i/v1/analytics/events"
HEADERS = {
    "PostHog-Sdk-Info": "posthog-python/7.91.1",
    "PostHog-Attempt": "1",
    "PostHog-Request-Id": "r1",
    "PostHog-Request-Timestamp": NOW.isoformat(),
}
ACCOUNTS = {
    "posthog-js-1.449.2": "acme-ph-cap",
    "posthog-node-5.70.0": "acme-phnode-cap",
    "posthog-python-7.91.1-v0": "acct_42",
    "posthog-python-7.91.1-v1": "acme-phpy1-cap",
}


def event(uuid: str, **fields: object) -> dict[str, Any]:
    own: dict[str, Any] = {
        "event": "Export",
        "distinct_id": "ada",
        "uuid": uuid,
        "timestamp": NOW.isoformat(),
        "properties": {"$groups": {"company": "a1"}},
    }
    return {**own, **fields}


def key_of(client: TestClient) -> str:
    return str(client.headers["Authorization"]).removeprefix("Bearer ")


def without_header(client: TestClient) -> TestClient:
    return TestClient(client.app, raise_server_exceptions=False)


def test_every_capture_is_replayed() -> None:
    assert exchanges.names("posthog") == sorted(ACCOUNTS)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", sorted(ACCOUNTS))
def test_a_capture_is_stored_and_sending_it_again_changes_nothing(
    client: TestClient, sessions: SessionFactory, session: Session, name: str, *, zipped: bool
) -> None:
    recorded = exchanges.requests("posthog", name)
    sent = [each for request in recorded for each in request["body_decoded"]["batch"]]
    with calls.client_at_time(sessions, client, RECORDED, event_retention_days=2000) as then:
        first = [exchanges.replay(then, each, zipped=zipped).json() for each in recorded]
        stored = calls.table_counts(session)
        again = [exchanges.replay(then, each, zipped=zipped).json() for each in recorded]

    assert sum(each["accepted"] for each in first) == len(sent)
    assert sum(each["duplicates"] for each in again) == len(sent)
    assert calls.table_counts(session) == stored
    assert stored["event"] + stored["unattributed_event"] == len(sent)
    accounts = calls.text_rows(session, "SELECT account_id FROM account")
    assert accounts == [(ACCOUNTS[name],)]
    counted = {used[2:]: count for used, count in calls.usage(session).items()}
    person = "u1" if name == "posthog-python-7.91.1-v0" else next(iter(counted))[0]
    assert counted[(person, False, "Report Exported")] == 1


def test_one_person_is_the_same_in_all_sdks(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """The alias, the two ids of which Python has the other way round, links the visitor in both."""
    with calls.client_at_time(sessions, client, RECORDED) as then:
        for name in ("posthog-node-5.70.0", "posthog-python-7.91.1-v1"):
            for each in exchanges.requests("posthog", name):
                exchanges.replay(then, each)

    links = calls.text_rows(session, "SELECT anonymous_id, user_id FROM user_alias ORDER BY 1")
    assert links == [("anon-phnode-cap", "ada-phnode-cap"), ("anon-phpy1-cap", "ada-phpy1-cap")]
    people = calls.text_rows(session, 'SELECT user_id, email FROM "user" ORDER BY 1')
    assert people == [
        ("ada-phnode-cap", "person@example.org"),
        ("ada-phpy1-cap", "person@example.org"),
    ]
    assert calls.text_rows(session, "SELECT DISTINCT mrr_cents, currency FROM subscription") == [
        (49900, "USD")
    ]


@pytest.mark.parametrize(
    "path", ["/batch/", "/e", "/e/?compression=gzip-js", "/capture/", "/i/v0/e/"]
)
def test_the_key_may_be_in_the_body(client: TestClient, session: Session, path: str) -> None:
    browser, key = without_header(client), key_of(client)
    body = {"api_key": key, "batch": [event("u1"), event("u2", event="")]}
    alone = {**event("u3"), "properties": {"token": key, "$groups": {"company": "a1"}}}
    bad = event("u4", event="", properties={"token": key})

    assert calls.counts(calls.checked_receipt(browser.post(path, json=body), 2)) == (1, 0, 1)
    assert calls.counts(calls.checked_receipt(browser.post(path, json=alone), 1)) == (1, 0, 0)
    assert calls.counts(calls.checked_receipt(browser.post(path, json=[bad]), 1)) == (0, 0, 1)
    assert calls.text_rows(session, "SELECT DISTINCT event_name FROM daily_usage") == [("Export",)]
    for table, column in (("event", "properties"), ("quarantined_event", "payload")):
        rows = calls.text_rows(session, f"SELECT {column}::text FROM {table}")  # noqa: S608
        assert rows
        assert not any(key in row[0] for row in rows)


@pytest.mark.parametrize("body", [{}, {"batch": [event("u1")]}, {"api_key": 7, "batch": [{}]}])
def test_without_a_key_nothing_is_stored(client: TestClient, body: object) -> None:
    answer = without_header(client).post("/batch", json=body)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_write_key")


@pytest.mark.parametrize("body", ["7", '"x"', "null"])
def test_a_body_that_is_no_batch_is_refused(client: TestClient, body: str) -> None:
    for path, headers in (("/batch", {}), (V1, HEADERS)):
        answer = client.post(path, content=body, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (400, "not_an_object")


def test_views_are_no_product_features(client: TestClient, session: Session) -> None:
    names = ("$autocapture", "$pageview", "Export")
    events = [event(f"u{n}", event=name) for n, name in enumerate(names)]
    calls.checked_receipt(client.post("/batch", json={"batch": events}), 3)

    rows = calls.text_rows(session, "SELECT name, is_view FROM event_name ORDER BY 1")
    assert rows == [("Export", False), ("Viewed $autocapture", True), ("Viewed page", True)]


def results(client: TestClient, *events: object) -> dict[str, Any]:
    answer = client.post(V1, json={"created_at": "x", "batch": events}, headers=HEADERS)
    calls.checked_receipt(answer, len(events))
    found: dict[str, Any] = answer.json()["results"]
    return found


def test_each_event_has_a_result(client: TestClient) -> None:
    hinted = event("u3", properties={"$groups": {"project": "p1"}})
    found = results(client, event("u1"), event("u2", event=""), hinted, event("u1"))

    assert found == {
        "u1": {"result": "ok", "details": None},
        "u2": {
            "result": "drop",
            "details": "missing_event_name: A track call needs a non-empty event name.",
        },
        "u3": {"result": "warning", "details": "unread_field"},
    }
    assert results(client, event("u1")) == {"u1": {"result": "ok", "details": None}}


def test_each_of_many_invalid_events_has_its_result(client: TestClient) -> None:
    found = results(client, *(event(f"u{n}", event="") for n in range(150)))

    assert [each["result"] for each in found.values()] == ["drop"] * 150


def test_the_worst_result_of_an_id_counts(client: TestClient) -> None:
    assert results(client, event("u1", event=""), event("u1"))["u1"]["result"] == "drop"


def test_an_id_that_is_no_valid_text_has_a_result(client: TestClient) -> None:
    body = '{"batch": [{"uuid": "\\ud800", "event": "", "distinct_id": "ada"}]}'
    answer = client.post(V1, content=body, headers=HEADERS)

    assert answer.json()["results"]["\ufffd"]["result"] == "drop"


@pytest.mark.parametrize("name", HEADERS)
def test_the_headers_of_the_newer_route_are_required(client: TestClient, name: str) -> None:
    headers = {each: value for each, value in HEADERS.items() if each != name}
    answer = client.post(V1, json={"batch": [event("u1")]}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "missing_header")
    assert name.lower() in answer.json()["detail"]


def test_a_rejected_event_of_the_newer_route_can_be_replayed(
    client: TestClient, session: Session
) -> None:
    alias = event("u1", event="$create_alias", distinct_id="visitor", properties={"alias": "ada"})
    client.post(V1, json={"batch": [{**alias, "timestamp": "soon"}]}, headers=HEADERS)
    row = calls.one_row(session, "SELECT message_id, dialect, sdk, payload FROM quarantined_event")

    assert row[:3] == ("u1", "posthog", "posthog-python/7.91.1")
    assert json.loads(row[3])["properties"]["$lib"] == "posthog-python"


def test_a_batch_can_be_validated(client: TestClient, session: Session) -> None:
    body = {"batch": [event("u1"), event("u2", event="")]}
    answer = client.post("/api/v1/events/validate?dialect=posthog", json=body)

    assert calls.counts(calls.checked_receipt(answer, 2)) == (1, 0, 1)
    assert calls.count_rows(session, "event") == 0


def test_a_batch_that_inflates_too_far_is_refused_without_a_header_too(client: TestClient) -> None:
    bomb = gzip.compress(b"[" + b" " * 20_000_000 + b"]", 1)
    answer = client.post("/batch", content=bomb)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_sdks_start_without_flags(client: TestClient) -> None:
    anyone = without_header(client)

    assert anyone.post("/flags/?v=2", json={"token": "hk_a"}).json()["featureFlags"] == {}
    assert anyone.post("/decide?v=3").json()["featureFlags"] == {}
    assert anyone.get("/array/hk_a/config").json()["hasFeatureFlags"] is False
    script = anyone.get("/array/hk_a/config.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert '["hk_a"] = {"config":{"token":"hk_a"' in script.text
    assert anyone.get("/array/%22x/config.js").status_code == 404
