"""Validating gives the receipt that sending would give, and stores nothing."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import BATCH, NATIVE, alias, group, identify, track, unattributed

VALIDATE = "/api/v1/events/validate"
MIXED = [
    track("m1"),
    track("m1"),
    track("m2", event=""),
    track("m2b", event="Never seen before"),
    unattributed("m3", userId="nobody"),
    unattributed("m4"),
    group(traits={"mrr": "much", "plan": "pro"}),
    identify(),
    alias("anon"),
    track("m5", timestamp=NOW.replace(tzinfo=None).isoformat()),
]


def without_ids(receipt: dict[str, Any]) -> dict[str, Any]:
    for verdict in receipt["events"]:
        verdict.pop("quarantine_id")
    receipt.pop("request_id")
    return receipt


def everything(session: Session) -> dict[str, int]:
    tables = ("ingest_tally", "ingest_hour", "external_id", "due_attribution", "audit_entry")
    return calls.table_counts(session) | {
        table: calls.count_rows(session, table) for table in tables
    }


def test_validating_gives_the_receipt_of_sending_and_stores_nothing(
    client: TestClient, session: Session
) -> None:
    calls.ingest(client, track("m5", timestamp=NOW.replace(tzinfo=None).isoformat(), event="Old"))
    before = everything(session)

    validated = client.post(f"{VALIDATE}?dialect=segment", json={"batch": MIXED})

    assert validated.status_code == 200
    assert everything(session) == before
    assert {verdict["quarantine_id"] for verdict in validated.json()["events"]} == {None}
    sent = calls.ingest(client, *MIXED)
    assert without_ids(validated.json()) == without_ids(sent)
    assert sent["duplicates"] == 2
    assert sent["unattributed"] == 1
    again = client.post(f"{VALIDATE}?dialect=segment", json={"batch": MIXED})
    assert without_ids(again.json()) == without_ids(calls.ingest(client, *MIXED))


def test_validating_is_not_counted(client: TestClient) -> None:
    before = REGISTRY.get_sample_value("health_events_total", {"result": "accepted"}) or 0

    client.post(f"{VALIDATE}?dialect=segment", json={"batch": [track()]})

    assert (REGISTRY.get_sample_value("health_events_total", {"result": "accepted"}) or 0) == before
    assert client.get("/api/v1/ingest/stats").json()["totals"]["received"] == 0


def test_names_seen_while_validating_are_registered_when_they_are_sent(
    client: TestClient, session: Session
) -> None:
    client.post(f"{VALIDATE}?dialect=segment", json={"batch": [track(event="New")]})

    calls.ingest(client, track(event="New"))

    assert calls.one_row(session, "SELECT name FROM event_name") == ("New",)


@pytest.mark.parametrize("body", [track(), {"batch": [track()]}])
def test_a_segment_body_is_one_call_or_a_batch(client: TestClient, body: object) -> None:
    validated = client.post(VALIDATE, params={"dialect": "segment"}, json=body)

    assert calls.counts(calls.checked_receipt(validated, 1)) == (1, 0, 0)


def test_the_native_dialect_is_the_default(client: TestClient) -> None:
    event = {"event": "Export", "account_id": "a1", "user_id": "ada", "message_id": "m1"}
    lines = f"{json.dumps(event)}\n{{broken\n"
    headers = {"Content-Type": "application/x-ndjson"}

    validated = client.post(VALIDATE, content=lines, headers=headers)

    assert calls.counts(calls.checked_receipt(validated, 2)) == (1, 0, 1)
    assert without_ids(validated.json()) == without_ids(
        client.post(NATIVE, content=lines, headers=headers).json()
    )


@pytest.mark.parametrize(("dialect", "route"), [("native", NATIVE), ("segment", BATCH)])
@pytest.mark.parametrize("body", ["", "x", "[]", "7", '{"batch": []}', '{"batch": {}}', "[" * 2000])
def test_validating_refuses_the_same_bodies_as_sending(
    client: TestClient, dialect: str, route: str, body: str
) -> None:
    sent = client.post(route, content=body)
    validated = client.post(VALIDATE, params={"dialect": dialect}, content=body)

    assert validated.status_code == sent.status_code
    assert validated.json().get("code") == sent.json().get("code")


def test_strict_handling_lists_all_errors(client: TestClient) -> None:
    validated = client.post(
        VALIDATE,
        params={"dialect": "segment"},
        json={"batch": [track(event=""), track(timestamp="soon")]},
        headers={"Prefer": "handling=strict"},
    )

    assert (validated.status_code, validated.json()["code"]) == (422, "quarantined")
    assert len(validated.json()["errors"]) == 2


def test_an_unknown_dialect_is_refused(client: TestClient) -> None:
    assert client.post(VALIDATE, params={"dialect": "latin"}, json=track()).status_code == 422


def test_validating_needs_a_valid_key(client: TestClient, sessions: SessionFactory) -> None:
    with calls.client_at_time(sessions, client) as other:
        other.headers["Authorization"] = "Bearer hk_wrong"
        assert other.post(VALIDATE, json=track()).status_code == 401
