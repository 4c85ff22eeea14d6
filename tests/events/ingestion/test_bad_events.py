"""An event that cannot be used is quarantined and does not affect the others of its batch."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.events import calls
from tests.events.calls import BATCH, track


def test_one_bad_event_does_not_affect_the_others(client: TestClient, session: Session) -> None:
    bad: list[object] = [
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
    for number, event in enumerate(bad):
        receipt = calls.ingest(client, track(f"before-{number}"), event, track(f"after-{number}"))
        assert receipt["accepted"] >= 2, event
    assert calls.count_rows(session, "event") >= 2 * len(bad)


def test_the_longest_ids_and_names_are_stored_in_any_script(
    client: TestClient, session: Session
) -> None:
    def longest(size: int, start: int) -> str:
        return "".join(chr(start + number * 7) for number in range(size))

    for number, start in enumerate((0x4E00, 0x20000)):
        receipt = calls.ingest(
            client,
            track(f"before-{number}"),
            track(
                f"long-{number}",
                userId=longest(255, start),
                event=longest(200, start),
                context={"groupId": longest(255, start + 1)},
            ),
        )
        assert receipt["accepted"] + receipt["quarantined"] == 2
    assert calls.count_rows(session, "event") >= 3


def batch_around(bad: bytes) -> bytes:
    good = [json.dumps(track(f"good-{number}")).encode() for number in range(2)]
    return b'{"batch": [' + b",".join([good[0], bad, good[1]]) + b"]}"


@pytest.mark.parametrize(
    ("bad", "warning"),
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
def test_unstorable_values_are_sanitized_in_their_event_only(
    client: TestClient, session: Session, bad: bytes, warning: str
) -> None:
    event = json.dumps(track("p1", properties={"here": 0})).encode()
    body = batch_around(event.replace(b'{"here": 0}', bad))

    receipt = calls.checked_receipt(client.post(BATCH, content=body), 3)

    assert calls.counts(receipt) == (3, 0, 0)
    assert [(verdict["index"], verdict["warnings"]) for verdict in receipt["events"]] == [
        (1, [warning])
    ]
    assert calls.count_rows(session, "event") == 3


@pytest.mark.parametrize(
    "timestamp", [b"NaN", b"1" + b"0" * 40, b"-1e400", b'"soon"', b"true", b"[]", b"1e300"]
)
def test_an_invalid_time_is_never_replaced_by_now(
    client: TestClient, session: Session, timestamp: bytes
) -> None:
    event = json.dumps(track("p1", timestamp="here")).encode()

    receipt = calls.checked_receipt(
        client.post(BATCH, content=batch_around(event.replace(b'"here"', timestamp))), 3
    )

    assert calls.counts(receipt) == (2, 0, 1)
    assert (receipt["events"][0]["index"], receipt["events"][0]["code"]) == (1, "invalid_timestamp")
    assert calls.count_rows(session, "event") == 2


@pytest.mark.parametrize("levels", [40, 300, 600, 1_500, 20_000])
def test_an_event_nested_too_deep_is_quarantined_with_its_payload(
    client: TestClient, session: Session, levels: int
) -> None:
    nested = b"[" * levels + b"]" * levels
    events = [
        json.dumps(track(f"p{number}", properties={"x": "here"})).encode() for number in range(2)
    ]

    receipts = [
        calls.checked_receipt(
            client.post(BATCH, content=batch_around(e.replace(b'"here"', nested))), 3
        )
        for e in events
    ]

    assert [calls.counts(each) for each in receipts] == [(2, 0, 1), (0, 2, 1)]
    assert receipts[0]["events"][0]["code"] == "too_deep"
    quarantined = calls.text_rows(
        session, "SELECT payload, message_id FROM quarantined_event ORDER BY 2"
    )
    assert [row[1] for row in quarantined] == ["p0", "p1"]
    assert all("[[[[" in row[0] for row in quarantined)


def test_a_huge_event_is_quarantined_and_its_payload_is_cut(
    client: TestClient, session: Session
) -> None:
    receipt = calls.ingest(
        client,
        track("good"),
        track("huge", properties={"x": "\u00e9" * 140_000}),
        track("large", properties={"x": "y" * 250_000}),
    )

    assert calls.counts(receipt) == (2, 0, 1)
    assert receipt["events"][0]["code"] == "event_too_large"
    [size] = calls.one_row(session, "SELECT octet_length(payload) FROM quarantined_event")
    assert 60_000 < size <= 64 * 1024
