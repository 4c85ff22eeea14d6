"""SDKs in browsers: recorded requests, keys without a header, and answers that pages may read."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.events import calls, exchanges

RECORDED = datetime(2026, 11, 29, 22, 0, tzinfo=UTC)
STORED = {
    "jitsu-js-1.11.0-mock": ("acme-jit-cap", "ada-jit-cap"),
    "rudderstack-analytics-js-3.34.1-beacon-mock": ("acme-rud-beacon", "ada-rud-beacon"),
    "segment-analytics-next-1.84.3-batching-cors-added": ("acme-seg-corsfix", "ada-seg-corsfix"),
    "segment-analytics-next-1.84.3-same-origin": ("acme-seg-same", "ada-seg-same"),
}
ORIGIN = {"Origin": "https://app.acme.example"}


@pytest.mark.parametrize("name", sorted(STORED))
def test_a_capture_is_stored_and_sending_it_again_changes_nothing(
    client: TestClient, sessions: SessionFactory, session: Session, name: str
) -> None:
    recorded = exchanges.requests("browser", name)
    with calls.client_at_time(sessions, client, RECORDED) as then:
        first = [exchanges.replay(then, each) for each in recorded]
        stored = calls.table_counts(session)
        again = [exchanges.replay(then, each).json() for each in recorded]

    assert all(each.headers["access-control-allow-origin"] == "*" for each in first)
    receipts = [each.json() for each in first]
    assert sum(each["quarantined"] for each in receipts) == 0
    assert sum(each["duplicates"] for each in again) == sum(each["received"] for each in receipts)
    assert calls.table_counts(session) == stored
    people = {(used[0], used[2]) for used in calls.usage(session) if not used[3]}
    assert people == {STORED[name]}


def test_a_key_of_another_header_or_of_a_beacon_is_checked(client: TestClient) -> None:
    anyone = TestClient(client.app, raise_server_exceptions=False)
    key = client.headers["Authorization"].removeprefix("Bearer ")
    call = calls.track()

    assert anyone.post("/api/s/track", json=call, headers={"X-Write-Key": key}).status_code == 200
    beacon = f"/beacon/v1/batch?writeKey={key}"
    assert anyone.post(beacon, json={"batch": [call]}).json()["duplicates"] == 1
    assert anyone.post(f"/v1/track?writeKey={key}", json=call).status_code == 401
    assert anyone.post("/api/s/track", json=call, headers={"X-Write-Key": "x"}).status_code == 401
    assert anyone.post("/beacon/v1/batch?writeKey=x", json={"batch": [call]}).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/v1/t", "/v1/batch/", "/e/", "/i/v1/analytics/events", "/api/s/page", "/api/v1/events"],
)
def test_a_page_of_another_origin_may_send_and_read_errors_too(
    client: TestClient, path: str
) -> None:
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-write-key",
    }
    before = client.options(path, headers={**ORIGIN, **wanted})
    refused = TestClient(client.app).post(path, json={}, headers=ORIGIN)

    assert before.status_code == 204
    assert before.headers["access-control-allow-headers"] == "x-write-key"
    assert before.headers["access-control-allow-origin"] == "*"
    assert refused.status_code in {400, 401}
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in refused.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/api/v1/accounts", "/", "/v1/billing/stripe/x", "/ex"])
def test_other_paths_stay_closed(client: TestClient, path: str) -> None:
    assert "access-control-allow-origin" not in client.get(path, headers=ORIGIN).headers
    without = client.post("/v1/track", json=calls.track())
    assert "access-control-allow-origin" not in without.headers


def test_sdks_in_browsers_find_their_settings(client: TestClient) -> None:
    anyone = TestClient(client.app)

    settings = anyone.get("/v1/projects/hk_a/settings").json()
    assert settings["integrations"]["Segment.io"]["apiKey"] == "hk_a"
    source = anyone.get("/sourceConfig/?p=web&writeKey=hk_a").json()["source"]
    assert (source["enabled"], source["destinations"]) == (True, [])
    assert anyone.post("/v1/m", json={"series": []}).json() == {"success": True}
