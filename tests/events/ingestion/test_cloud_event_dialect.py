"""CloudEvents at `/api/v1/events`: recorded requests, and ids that clients give twice."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.sources import monitoring
from tests.conftest import NOW
from tests.events import calls, exchanges
from tests.events.quarantine.actions import edit_payloads, run_action

RECORDED = datetime(2026, 11, 29, 22, 0, tzinfo=UTC)
ONE, SEVERAL = "application/cloudevents+json", "application/cloudevents-batch+json"
STORED = {
    "cloudevents-js-10.0.0-and-python-2.2.0": {"ce-s1", "ce-b1", "ce-m1", "ce-m2", "ce-py1"},
    "openmeter-node-1.0.0-beta.232": {
        *("om-1", "6da13a1c-99c9-4610-9414-5c86f9f74bc0"),
        "72522842-ee3b-4239-a2c9-03584ee44088",
    },
    "openmeter-python-1.0.0b236": {"om-py-1", "om-py-2"},
}
ACCOUNTS = {"cloudevents": "acme-ce", "openmeter": "acme-om"}


def event(event_id: str = "e1", **fields: object) -> dict[str, Any]:
    own: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/app",
        "type": "report.exported",
        "subject": "acme",
        "time": NOW.isoformat(),
        "data": {"rows": 3},
    }
    return {**own, **fields}


def send(client: TestClient, body: object, path: str = calls.NATIVE) -> Response:
    content_type = SEVERAL if isinstance(body, list) else ONE
    answer: Response = client.post(
        path, content=json.dumps(body), headers={"content-type": content_type}
    )
    return answer


def test_every_capture_is_replayed() -> None:
    assert exchanges.names("cloudevents") == sorted(STORED)


@pytest.mark.parametrize("name", sorted(STORED))
def test_a_capture_is_stored_and_sending_it_again_changes_nothing(
    client: TestClient, sessions: SessionFactory, session: Session, name: str
) -> None:
    recorded = exchanges.requests("cloudevents", name)
    with calls.client_at_time(sessions, client, RECORDED) as then:
        answers = [exchanges.replay(then, each) for each in recorded]
        stored = calls.table_counts(session)
        for each in recorded:
            exchanges.replay(then, each)

    assert {each.status_code for each in answers} == {204 if "python-1.0.0b" in name else 200}
    assert calls.table_counts(session) == stored
    ids = calls.text_rows(session, "SELECT message_id FROM event")
    assert sorted(row[0] for row in ids) == sorted(STORED[name])
    assert {used[0] for used in calls.usage(session)} == {ACCOUNTS[name.partition("-")[0][:11]]}
    assert calls.count_rows(session, "quarantined_event") == 0


def test_two_events_with_one_id_are_both_stored_with_a_warning(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """The client for Python writes the id into the caller's attributes."""
    first = calls.checked_receipt(send(client, event()), 1)
    second = calls.checked_receipt(send(client, event(data={"rows": 4})), 1)
    again = calls.checked_receipt(send(client, event(data={"rows": 4})), 1)

    assert (calls.counts(first), calls.warnings(first)) == ((1, 0, 0), [])
    assert (calls.counts(second), calls.warnings(second)) == ((1, 0, 0), ["id_reused"])
    assert (calls.counts(again), calls.warnings(again)) == ((0, 1, 0), ["id_reused"])
    rows = calls.text_rows(session, "SELECT properties->>'rows' FROM event ORDER BY 1")
    assert rows == [("3",), ("4",)]
    for _ in range(2):
        totals = client.get("/api/v1/ingest/stats").json()["totals"]
        assert (totals["received"], totals["accepted"], totals["duplicates"]) == (3, 2, 1)
        monitoring.aggregate_stats(sessions)


def test_two_events_of_one_batch_with_one_id_are_both_stored(
    client: TestClient, session: Session
) -> None:
    batch = [event(), event(data={"rows": 4}), event()]
    receipt = calls.checked_receipt(send(client, batch), 3)
    again = calls.checked_receipt(send(client, batch), 3)

    assert (calls.counts(receipt), calls.warnings(receipt)) == ((2, 1, 0), ["id_reused"])
    assert calls.counts(again) == (0, 3, 0)
    assert calls.count_rows(session, "event") == 2


def test_an_invalid_event_is_quarantined_and_can_be_replayed(
    client: TestClient, session: Session
) -> None:
    receipt = calls.checked_receipt(send(client, [event(), event("e2", source="")]), 2)

    assert calls.counts(receipt) == (1, 0, 1)
    [verdict] = receipt["events"]
    assert (verdict["code"], verdict["pointer"]) == ("invalid_cloud_event", "/source")
    assert (verdict["message_id"], verdict["index"]) == ("e2", 1)
    edit_payloads(session, '"source":""', '"source":"/app"')
    assert run_action(client, "replay", filter={})["replayed"] == 1
    assert calls.count_rows(session, "event") == 2


def test_events_can_be_validated(client: TestClient, session: Session) -> None:
    receipt = calls.checked_receipt(send(client, [event()], "/api/v1/events/validate"), 1)

    assert calls.counts(receipt) == (1, 0, 0)
    assert calls.count_rows(session, "event") == 0
