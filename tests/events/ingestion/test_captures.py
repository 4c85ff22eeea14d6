"""Batches recorded from the real SDKs, sent again as they were received."""

import gzip
import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.events import calls

FOLDER = Path(__file__).parents[2] / "data" / "captures"
CAPTURES = sorted(path.stem for path in FOLDER.glob("*.json"))
RECORDED = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
NOT_REPLAYED = {"host", "content-length", "connection", "authorization"}


def requests(name: str) -> list[dict[str, Any]]:
    recorded: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return recorded


def replay(client: TestClient, recorded: dict[str, Any]) -> Response:
    """Send a request with its own headers and encoding; only the key is replaced."""
    headers = {
        name: value
        for name, value in recorded["headers"].items()
        if name.lower() not in NOT_REPLAYED
    }
    key = client.headers["Authorization"].removeprefix("Bearer ")
    headers["Authorization"] = "Basic " + b64encode(f"{key}:".encode()).decode()
    raw = json.dumps(recorded["body"]).encode()
    if recorded["wire_head_hex"].startswith("1f8b"):
        assert {name.lower(): value for name, value in headers.items()}[
            "content-encoding"
        ] == "gzip"
        raw = gzip.compress(raw)
    answer: Response = client.post(recorded["path"], content=raw, headers=headers)
    return answer


def replay_all(client: TestClient, name: str) -> list[dict[str, Any]]:
    return [
        calls.checked_receipt(replay(client, recorded), len(recorded["body"]["batch"]))
        for recorded in requests(name)
    ]


def test_there_are_captures_of_both_vendors_in_two_languages() -> None:
    vendors = {tuple(name.replace("-sdk", "").split("-")[:3]) for name in CAPTURES}

    assert len(CAPTURES) == 5
    assert {vendor[0] for vendor in vendors} == {"segment", "rudder"}
    assert {part for vendor in vendors for part in vendor} >= {"python", "node"}


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_ingested_and_sending_it_again_changes_nothing(
    client: TestClient, sessions: SessionFactory, session: Session, name: str
) -> None:
    sent = [event for recorded in requests(name) for event in recorded["body"]["batch"]]
    with calls.client_at_time(sessions, client, RECORDED) as then:
        first = replay_all(then, name)
        stored = calls.table_counts(session)

        again = replay_all(then, name)

    assert sum(receipt["accepted"] for receipt in first) == len(sent) - 1
    assert sum(receipt["duplicates"] for receipt in first) == 0
    quarantined = [
        v for receipt in first for v in receipt["events"] if v["result"] == "quarantined"
    ]
    assert [(verdict["code"], verdict["pointer"]) for verdict in quarantined] == [
        ("too_old", "/timestamp")
    ]
    assert sum(receipt["accepted"] for receipt in again) == 0
    assert sum(receipt["duplicates"] for receipt in again) == len(sent) - 1
    assert sum(receipt["quarantined"] for receipt in again) == 1
    assert calls.table_counts(session) == stored
    assert stored["event"] + stored["unattributed_event"] == len(sent) - 1


@pytest.mark.parametrize("name", CAPTURES)
def test_the_calls_of_an_sdk_are_stored_and_counted(
    client: TestClient, sessions: SessionFactory, session: Session, name: str
) -> None:
    with calls.client_at_time(sessions, client, RECORDED, event_retention_days=2000) as then:
        receipts = replay_all(then, name)

    assert sum(each["quarantined"] for each in receipts) == 0
    backfilled = (
        "SELECT client_at::date::text, late.account_id FROM event late WHERE name = 'Backfilled'"
    )
    assert calls.one_row(session, backfilled) == ("2024-02-29", "acct_42")
    account = calls.one_row(session, "SELECT account_id, name FROM account")
    assert account == ("acct_42", "Initech")
    user = "SELECT account_id, email FROM \"user\" WHERE user_id = 'u1'"
    assert calls.one_row(session, user) == ("acct_42", "a@example.com")
    counted = {used[2:]: count for used, count in calls.usage(session).items()}
    assert counted[("u1", False, "Report Exported")] == 1
    assert counted[("u1", False, "Backfilled")] == 1
    assert {used[0] for used in calls.usage(session)} == {"acct_42"}
    sdks = {row[0].rpartition("/")[0] for row in calls.text_rows(session, "SELECT sdk FROM event")}
    assert sdks <= {"analytics-python", "analytics-node", "@segment/analytics-node"}
    assert len(sdks) == 1


def test_an_anonymous_event_after_the_alias_of_its_batch_belongs_to_the_account(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    with calls.client_at_time(sessions, client, RECORDED) as then:
        replay_all(then, "segment-analytics-python-2.4.0")

    counted = {used[2:]: count for used, count in calls.usage(session).items()}
    assert counted == {
        ("u1", False, "Report Exported"): 1,
        ("u1", False, "Viewed Intro"): 1,
        ("u1", False, "Viewed Home"): 1,
        ("anon1", True, "Anon Event"): 1,
    }
    assert calls.one_row(session, "SELECT employees FROM account") == (420,)
    price = "SELECT mrr_cents, currency, source, starts_on::text FROM subscription"
    assert calls.one_row(session, price) == (1250_50, "USD", "traits", "2026-11-22")
