"""CloudEvents that are sent as something else are refused: quarantine would look like a success."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.events import calls

EVENT = {
    "specversion": "1.0",
    "type": "report.exported",
    "source": "/reports",
    "id": "e1",
    "subject": "acme",
    "data": {"rows": 3},
}
PATHS = ("/v1/batch", "/v1/track", "/batch", "/e/")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/cloudevents+json"}, EVENT),
        ({"content-type": "application/cloudevents+json; charset=utf-8"}, EVENT),
        ({"content-type": "Application/CloudEvents-Batch+JSON"}, [EVENT]),
        ({"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "e1"}, {}),
    ],
)
def test_a_cloud_event_is_refused_and_nothing_is_stored(
    client: TestClient, session: Session, path: str, headers: dict[str, str], body: object
) -> None:
    answer = client.post(path, content=json.dumps(body), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "CloudEvents" in answer.json()["detail"]
    assert calls.count_rows(session, "quarantined_event") == 0


OTHER = {"event": "Export", "account_id": "acme", "user_id": "ada", "message_id": "m1"}
PLAIN_BODIES: dict[str, tuple[str, object]] = {
    "alone": ("/api/v1/events", EVENT),
    "array": ("/api/v1/events", [EVENT]),
    "events": ("/api/v1/events", {"events": [EVENT]}),
    "batch on the wrong route": ("/api/v1/events", {"batch": [EVENT]}),
    "after an event": ("/api/v1/events", [OTHER, EVENT]),
    "binary data": ("/api/v1/events", {**EVENT, "data_base64": "AQ=="}),
    "older version, number as id": ("/api/v1/events", {**EVENT, "specversion": "0.3", "id": 7}),
    "type of a call": ("/api/v1/events", {**EVENT, "type": "track"}),
    "validated": ("/api/v1/events/validate", EVENT),
    "validated as a call": ("/api/v1/events/validate?dialect=segment", EVENT),
    "batch": ("/v1/batch", {"batch": [EVENT]}),
    "call": ("/v1/track", EVENT),
}


@pytest.mark.parametrize("case", PLAIN_BODIES)
def test_a_cloud_event_as_plain_json_is_refused_and_nothing_is_stored(
    client: TestClient, session: Session, case: str
) -> None:
    path, body = PLAIN_BODIES[case]
    answer = client.post(path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    place = 1 if case == "after an event" else 0
    assert f"Event {place} of the body" in answer.json()["detail"]
    assert "event, account_id and user_id" in answer.json()["detail"]
    for table in ("quarantined_event", "event"):
        assert calls.count_rows(session, table) == 0


def test_a_cloud_event_as_a_line_is_refused(client: TestClient, session: Session) -> None:
    lines = "\n".join(json.dumps(each) for each in (OTHER, EVENT))
    headers = {"content-type": "application/x-ndjson"}
    answer = client.post("/api/v1/events", content=lines, headers=headers)

    assert answer.status_code == 415
    assert calls.count_rows(session, "event") == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"properties": EVENT},
        {"properties": {"specversion": "1.0"}},
        {"specversion": "1.0"},
        {"specversion": "1.0", "id": "e1", "source": "/reports"},
        {**EVENT, "type": "track"},
        {**EVENT, "specversion": None, "type": "track"},
    ],
)
def test_an_event_with_such_properties_or_fields_is_stored(
    client: TestClient, fields: dict[str, object]
) -> None:
    answer = client.post("/api/v1/events", json={**OTHER, **fields})

    assert calls.counts(calls.checked_receipt(answer, 1)) == (1, 0, 0)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_other_content_types_are_read_as_json(client: TestClient, content_type: str) -> None:
    event = {"event": "Export", "account_id": "acme", "user_id": "ada"}

    answer = client.post(
        "/api/v1/events", content=json.dumps(event), headers={"content-type": content_type}
    )

    assert calls.counts(calls.checked_receipt(answer, 1)) == (1, 0, 0)
