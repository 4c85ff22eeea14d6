"""CloudEvents are refused as a whole: a 200 with everything in quarantine looks like a success."""

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
PATHS = ("/api/v1/events", "/api/v1/events/validate", "/v1/batch", "/v1/track")


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


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_other_content_types_are_read_as_json(client: TestClient, content_type: str) -> None:
    event = {"event": "Export", "account_id": "acme", "user_id": "ada"}

    answer = client.post(
        "/api/v1/events", content=json.dumps(event), headers={"content-type": content_type}
    )

    assert calls.counts(calls.checked_receipt(answer, 1)) == (1, 0, 0)
