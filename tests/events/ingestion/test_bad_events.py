"""One event that cannot be used never costs the others of its batch, and is kept for a look."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.events import calls
from tests.events.calls import BATCH, track


def test_one_poison_event_never_costs_the_others(client: TestClient, session: Session) -> None:
    poison: list[object] = [
        *(None, 3, "x", [], {}),
        *({"type": ["track"]}, {"type": {}}, {"type": None}, {"type": 1}),
        track(sentAt="0001-01-01T00:00:00Z"),
        track("p2", sentAt="9999-12-31T23:59:59Z"),
        track("p3", timestamp={"a": 1}),
        track("p4", properties=[1], context="x", traits=7),
        track({"a": 1}, userId=["u"], anonymousId={}),
        track("p6", userId=1e300),
        track("p7", properties={"end_customer_ids": [None, {}, [], 1e300, "c1"]}),
        track("p8", event="\U0001f600" * 201),
    ]
    for number, event in enumerate(poison):
        said = calls.ingest(client, track(f"before-{number}"), event, track(f"after-{number}"))
        assert said["accepted"] >= 2, event
    assert calls.count_rows(session, "event") >= 2 * len(poison)


def test_the_longest_ids_and_names_are_stored_in_any_script(
    client: TestClient, session: Session
) -> None:
    def longest(size: int, start: int) -> str:
        return "".join(chr(start + number * 7) for number in range(size))

    for number, start in enumerate((0x4E00, 0x20000)):
        said = calls.ingest(
            client,
            track(f"before-{number}"),
            track(
                f"long-{number}",
                userId=longest(255, start),
                event=longest(200, start),
                context={"groupId": longest(255, start + 1)},
            ),
        )
        assert said["accepted"] + said["quarantined"] == 2
    assert calls.count_rows(session, "event") >= 3


def batch_around(poison: bytes) -> bytes:
    good = [json.dumps(track(f"good-{number}")).encode() for number in range(2)]
    return b'{"batch": [' + b",".join([good[0], poison, good[1]]) + b"]}"


@pytest.mark.parametrize(
    ("poison", "warning"),
    [
        (b'{"x": NaN}', "non_finite_number"),
        (b'{"x": [-Infinity]}', "non_finite_number"),
        (b'{"x": 1' + b"0" * 5000 + b"}", "number_too_large"),
        (rb'{"x": "a\u0000b"}', "nul_removed"),
        (b'{"x": "a\x00b"}', "nul_removed"),
        (rb'{"x\u0000": 1}', "nul_removed"),
        (rb'{"x": "\ud800"}', "lone_surrogate_replaced"),
    ],
)
def test_what_cannot_be_stored_is_repaired_in_its_event_alone(
    client: TestClient, session: Session, poison: bytes, warning: str
) -> None:
    event = json.dumps(track("p1", properties={"here": 0})).encode()
    body = batch_around(event.replace(b'{"here": 0}', poison))

    said = calls.checked_receipt(client.post(BATCH, content=body), 3)

    assert calls.counts(said) == (3, 0, 0)
    assert [(verdict["index"], verdict["warnings"]) for verdict in said["events"]] == [
        (1, [warning])
    ]
    assert calls.count_rows(session, "event") == 3


@pytest.mark.parametrize(
    "timestamp", [b"NaN", b"1" + b"0" * 40, b"-1e400", b'"soon"', b"true", b"[]", b"1e300"]
)
def test_a_time_that_cannot_be_read_is_never_now(
    client: TestClient, session: Session, timestamp: bytes
) -> None:
    event = json.dumps(track("p1", timestamp="here")).encode()

    said = calls.checked_receipt(
        client.post(BATCH, content=batch_around(event.replace(b'"here"', timestamp))), 3
    )

    assert calls.counts(said) == (2, 0, 1)
    assert (said["events"][0]["index"], said["events"][0]["code"]) == (1, "invalid_timestamp")
    assert calls.count_rows(session, "event") == 2


@pytest.mark.parametrize("levels", [40, 300, 600, 1_500, 20_000])
def test_what_is_nested_too_deep_is_put_aside_with_its_payload(
    client: TestClient, session: Session, levels: int
) -> None:
    nested = b"[" * levels + b"]" * levels
    events = [
        json.dumps(track(f"p{number}", properties={"x": "here"})).encode() for number in range(2)
    ]

    said = [
        calls.checked_receipt(
            client.post(BATCH, content=batch_around(e.replace(b'"here"', nested))), 3
        )
        for e in events
    ]

    assert [calls.counts(each) for each in said] == [(2, 0, 1), (0, 2, 1)]
    assert said[0]["events"][0]["code"] == "too_deep"
    kept = calls.text_rows(session, "SELECT payload, message_id FROM quarantined_event ORDER BY 2")
    assert [row[1] for row in kept] == ["p0", "p1"]
    assert all("[[[[" in row[0] for row in kept)


def test_a_huge_event_is_put_aside_and_its_payload_is_cut(
    client: TestClient, session: Session
) -> None:
    said = calls.ingest(
        client,
        track("good"),
        track("huge", properties={"x": "\u00e9" * 140_000}),
        track("large", properties={"x": "y" * 250_000}),
    )

    assert calls.counts(said) == (2, 0, 1)
    assert said["events"][0]["code"] == "event_too_large"
    [size] = calls.one_row(session, "SELECT octet_length(payload) FROM quarantined_event")
    assert 60_000 < size <= 64 * 1024
