"""The answers of the ingest routes: every status of the contract, and receipts that add up."""

import gzip
import json
from base64 import b64encode
from typing import Any

import pytest
import zstandard
from fastapi.testclient import TestClient
from httpx2 import Response
from prometheus_client import REGISTRY
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.workspaces.keys import Scope
from tests import factories
from tests.events import calls
from tests.events.calls import BATCH, NATIVE, track

JSON = {"Content-Type": "application/json"}


def key_with(session: Session, *scopes: Scope) -> dict[str, str]:
    key = factories.api_key(session, factories.workspace(session), scopes)
    session.commit()
    return {"Authorization": f"Bearer {key}"}


def assert_refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["message"] == problem["detail"] != ""
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/batch/", "/v1/import", "/v1/b", "/v1/b/"])
def test_every_batch_route_accepts_a_batch(client: TestClient, session: Session, path: str) -> None:
    answer = client.post(path, json={"batch": [track()]}, follow_redirects=False)

    assert answer.status_code == 200
    assert calls.counts(calls.checked_receipt(answer, 1)) == (1, 0, 0)
    assert calls.count_rows(session, "event") == 1


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("kind", ["track", "identify", "group", "page", "screen", "alias"])
def test_every_kind_of_call_has_a_route(
    client: TestClient, session: Session, kind: str, slash: str
) -> None:
    call = track(name="Home", groupId="a1", previousId="anon", type=None)

    answer = client.post(f"/v1/{kind}{slash}", json=call, follow_redirects=False)

    assert calls.counts(calls.checked_receipt(answer, 1)) == (1, 0, 0)
    assert calls.one_row(session, "SELECT kind FROM event") == (kind,)


def test_an_unknown_route_is_an_error(client: TestClient) -> None:
    assert client.post("/v1/bath", json={"batch": [track()]}).status_code == 404
    assert client.get(BATCH, follow_redirects=False).status_code == 405


NATIVE_EVENT = {"event": "Export", "account_id": "a1", "user_id": "ada", "message_id": "m1"}
OTHER_EVENT = NATIVE_EVENT | {"message_id": "m2"}


@pytest.mark.parametrize(
    ("body", "stored"),
    [(NATIVE_EVENT, 1), ([NATIVE_EVENT, OTHER_EVENT], 2), ({"events": [NATIVE_EVENT]}, 1)],
)
def test_the_native_route_accepts_an_object_an_array_and_a_list_of_events(
    client: TestClient, session: Session, body: object, stored: int
) -> None:
    answer = client.post(NATIVE, json=body)

    assert calls.counts(calls.checked_receipt(answer, stored)) == (stored, 0, 0)
    assert calls.count_rows(session, "event") == stored


def test_the_native_route_accepts_json_lines(client: TestClient) -> None:
    lines = f"{json.dumps(NATIVE_EVENT)}\r\n\n{json.dumps(OTHER_EVENT)}"

    answer = client.post(NATIVE, content=lines, headers={"Content-Type": "application/x-ndjson"})

    assert calls.counts(calls.checked_receipt(answer, 2)) == (2, 0, 0)


def test_a_broken_line_is_quarantined_with_its_number(client: TestClient, session: Session) -> None:
    lines = f"{json.dumps(NATIVE_EVENT)}\n\n{{broken\n{json.dumps(OTHER_EVENT)}"

    answer = client.post(NATIVE, content=lines, headers={"Content-Type": "application/x-ndjson"})

    receipt = calls.checked_receipt(answer, 3)
    assert calls.counts(receipt) == (2, 0, 1)
    [verdict] = receipt["events"]
    assert (verdict["index"], verdict["code"]) == (1, "invalid_json")
    assert "line 3" in verdict["detail"]
    assert calls.one_row(session, "SELECT payload FROM quarantined_event") == ("{broken",)


def test_a_body_without_a_valid_line_is_refused(client: TestClient, session: Session) -> None:
    answer = client.post(NATIVE, content="a\nb\n", headers={"Content-Type": "application/x-ndjson"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert calls.count_rows(session, "quarantined_event") == 0


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity", "GZIP"])
def test_a_body_is_decoded_whatever_its_content_type(client: TestClient, encoding: str) -> None:
    raw = json.dumps({"batch": [track()]}).encode()
    packed = {"gzip": gzip.compress(raw), "zstd": zstandard.compress(raw)}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Encoding": encoding,
    }

    assert (
        client.post(BATCH, content=packed.get(encoding.lower(), raw), headers=headers).json()[
            "accepted"
        ]
        == 1
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"batch=1", "invalid_json"),
        (b"[]", "not_an_object"),
        (b"3", "not_an_object"),
        (b'{"events": []}', "not_an_object"),
        (b'{"batch": {}}', "not_an_object"),
        (b'{"batch": []}', "empty_batch"),
    ],
)
def test_a_body_that_is_not_a_batch_is_a_bad_request(
    client: TestClient, session: Session, body: bytes, code: str
) -> None:
    assert_refused(client.post(BATCH, content=body, headers=JSON), 400, code)
    assert calls.count_rows(session, "event") == calls.count_rows(session, "quarantined_event") == 0


@pytest.mark.parametrize(
    ("body", "code"), [(b"[]", "empty_batch"), (b'"x"', "not_an_object"), (b"nope", "invalid_json")]
)
def test_a_native_body_without_events_is_a_bad_request(
    client: TestClient, body: bytes, code: str
) -> None:
    assert_refused(client.post(NATIVE, content=body, headers=JSON), 400, code)


def test_a_body_that_does_not_match_its_encoding_is_a_bad_request(client: TestClient) -> None:
    for body in (b"{}", gzip.compress(b'{"batch": []}')[:-9]):
        answer = client.post(BATCH, content=body, headers={"Content-Encoding": "gzip"})
        assert_refused(answer, 400, "invalid_json")


def test_an_unknown_encoding_is_refused(client: TestClient) -> None:
    answer = client.post(BATCH, content=b"{}", headers={"Content-Encoding": "br"})

    assert_refused(answer, 415, "unsupported_encoding")


@pytest.mark.parametrize(
    "authorization",
    ["Bearer nonsense", "Basic bm9wZTo=", "Basic ***", "Digest x", "Bearer hk_0000000000_x"],
)
def test_a_wrong_key_in_the_header_is_refused_before_the_body_is_parsed(
    client: TestClient, authorization: str
) -> None:
    answer = client.post(BATCH, content=b"{", headers={"Authorization": authorization})

    assert_refused(answer, 401, "invalid_write_key")


def test_a_key_works_as_bearer_as_basic_user_and_in_the_body(
    client: TestClient, sessions: SessionFactory
) -> None:
    key = client.headers["Authorization"].removeprefix("Bearer ")
    basic = "Basic " + b64encode(f"{key}:".encode()).decode()
    assert calls.post_batch(client, track("m1"), Authorization=basic).json()["accepted"] == 1
    with calls.client_at_time(sessions, client) as bare:
        del bare.headers["Authorization"]
        in_body = {"batch": [track("m2")], "writeKey": key}

        assert bare.post(BATCH, json=in_body).json()["accepted"] == 1
        assert_refused(bare.post(BATCH, json={"batch": [track()]}), 401, "invalid_write_key")
        wrong = {"batch": [track("m3")], "writeKey": key[:-1] + "!"}
        assert_refused(bare.post(BATCH, json=wrong), 401, "invalid_write_key")


def test_a_key_in_the_body_is_not_stored_with_a_quarantined_event(
    client: TestClient, session: Session
) -> None:
    key = client.headers["Authorization"].removeprefix("Bearer ")

    client.post("/v1/track", json=track(event="", writeKey=key))

    [payload] = calls.one_row(session, "SELECT payload FROM quarantined_event")
    assert "messageId" in payload
    assert key not in payload


def test_a_key_without_the_scope_is_forbidden(client: TestClient, session: Session) -> None:
    reader = key_with(session, Scope.HEALTH_READ)
    writer = key_with(session, Scope.INGEST_WRITE)

    assert_refused(calls.post_batch(client, track(), **reader), 403, "key_scope")
    assert calls.post_batch(client, track(), **writer).status_code == 200


def test_a_body_too_large_or_with_too_many_events_is_refused(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    with calls.client_at_time(
        sessions, client, max_wire_bytes=1024, max_body_bytes=4096, max_batch_events=3
    ) as small:
        bomb = gzip.compress(b'{"batch": [' + b" " * 100_000 + b"]}")
        assert len(bomb) < 1024

        assert_refused(small.post(BATCH, content=b" " * 1025), 413, "payload_too_large")
        chunked = small.post(BATCH, content=iter([b" " * 600] * 2))
        assert_refused(chunked, 413, "payload_too_large")
        answer = small.post(BATCH, content=bomb, headers={"Content-Encoding": "gzip"})
        assert_refused(answer, 413, "payload_too_large")
        assert_refused(small.post(BATCH, json={"batch": [1] * 4}), 413, "too_many_events")
        assert small.post(BATCH, json={"batch": [1] * 3}).status_code == 200
    assert calls.count_rows(session, "event") == 0


def test_more_events_in_a_second_than_allowed_are_rate_limited(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    with calls.client_at_time(sessions, client, events_per_second=2) as slow:
        assert calls.post_batch(slow, *(track(f"m{n}") for n in range(3))).status_code == 200
        answer = calls.post_batch(slow, track("m3"))

    assert_refused(answer, 429, "rate_limited")
    assert answer.headers["retry-after"] == "1"
    assert calls.count_rows(session, "event") == 3


def test_a_strict_batch_is_stored_whole_or_not_at_all(client: TestClient, session: Session) -> None:
    batch = [track("m1"), track("m2", event=" "), track("m3", timestamp="soon")]

    problem = assert_refused(
        calls.post_batch(client, *batch, Prefer="handling=strict"), 422, "quarantined"
    )

    assert [error["pointer"] for error in problem["errors"]] == ["/1/event", "/2/timestamp"]
    assert set(calls.table_counts(session).values()) == {0}
    assert calls.ingest(client, track("m1"), Prefer="handling=strict")["accepted"] == 1


def metric(result: str) -> float:
    return REGISTRY.get_sample_value("health_events_total", {"result": result}) or 0


def test_receipts_add_up_and_equal_the_metrics(client: TestClient) -> None:
    results = ("accepted", "duplicate", "quarantined")
    before = [metric(result) for result in results]
    labels = {"code": "missing_event_name"}
    name = "health_quarantined_total"
    quarantined = REGISTRY.get_sample_value(name, labels) or 0

    receipts = [
        calls.ingest(client, track("m1"), track("m2"), track("m1"), track("m3", event="")),
        calls.ingest(client, track("m2"), calls.unattributed("m4"), track("m5", event="")),
    ]

    assert [calls.counts(each) for each in receipts] == [(2, 1, 1), (1, 1, 1)]
    assert [metric(result) for result in results] == [before[0] + 3, before[1] + 2, before[2] + 2]
    assert REGISTRY.get_sample_value(name, labels) == quarantined + 2


def test_a_receipt_lists_at_most_a_hundred_events_that_were_not_simply_accepted(
    client: TestClient,
) -> None:
    receipt = calls.ingest(client, track("m1"), track("m2"), track("m1"), track("q", event=7))

    assert [(v["index"], v["result"], v["code"], v["pointer"]) for v in receipt["events"]] == [
        (2, "duplicate", None, None),
        (3, "quarantined", "missing_event_name", "/event"),
    ]
    many = calls.ingest(client, *([1] * 150))
    assert (many["quarantined"], len(many["events"])) == (150, 100)
