"""OpenTelemetry logs: both encodings of the real exporter's messages give the same events."""

from base64 import b64decode
from random import Random
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)

from app.events.reading import otel_logs
from app.events.reading.canonical import DialectCall
from app.events.reading.errors import InvalidBodyError
from app.events.reading.otel_bodies import (
    MAX_DEPTH,
    encode_partial_success,
    parse_json_body,
    parse_protobuf,
)

NOON = 1_772_366_400_123_456_789


def message() -> ExportLogsServiceRequest:
    """A request with two records, and every kind of value in an attribute."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    service = resource_logs.resource.attributes.add()
    service.key, service.value.string_value = "service.name", "reports"
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = "exports"
    record = scope_logs.log_records.add()
    record.event_name, record.time_unix_nano = "report.exported", NOON
    record.body.string_value = "Łódź"
    for key, value in values().items():
        pair = record.attributes.add()
        pair.key = key
        pair.value.CopyFrom(value)
    scope_logs.log_records.add(observed_time_unix_nano=NOON)
    return request


def values() -> dict[str, AnyValue]:
    return {
        "text": AnyValue(string_value="ü"),
        "true": AnyValue(bool_value=True),
        "negative": AnyValue(int_value=-3),
        "large": AnyValue(int_value=2**62),
        "half": AnyValue(double_value=0.5),
        "bytes": AnyValue(bytes_value=b"\xff\x00"),
        "list": AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue()])),
        "map": AnyValue(
            kvlist_value=KeyValueList(values=[KeyValue(key="a", value=AnyValue(string_value="b"))])
        ),
    }


EXPECTED: list[dict[str, Any]] = [
    {
        "event_name": "report.exported",
        "time": NOON,
        "body": "Łódź",
        "attributes": {
            "text": "ü",
            "true": True,
            "negative": -3,
            "large": 2**62,
            "half": 0.5,
            "bytes": "/wA=",
            "list": [1, None],
            "map": {"a": "b"},
        },
        "resource": {"service.name": "reports"},
        "scope": "exports",
    },
    {"observed_time": NOON, "resource": {"service.name": "reports"}, "scope": "exports"},
]


def test_protobuf_is_decoded_like_the_official_library_encodes_it() -> None:
    assert parse_protobuf(message().SerializeToString()).events == EXPECTED
    assert b64decode(EXPECTED[0]["attributes"]["bytes"]) == b"\xff\x00"


def test_json_gives_the_same_events() -> None:
    events = parse_json_body(MessageToJson(message()).encode()).events

    times = ({"time": str(NOON)}, {"observed_time": str(NOON)})  # JSON has them as texts
    assert events == [each | time for each, time in zip(EXPECTED, times, strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_broken_protobuf_is_refused_or_read(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - the same bytes in each run
    whole = message().SerializeToString()
    for _ in range(200):
        broken = bytearray(whole[: random.randrange(len(whole))] if seed % 2 else whole)
        for _ in range(random.randrange(4)):
            broken[random.randrange(max(len(broken), 1)) : 0] = random.randbytes(1)
        try:
            parse_protobuf(bytes(broken))
        except InvalidBodyError:
            continue


def test_values_that_are_nested_too_deep_become_null() -> None:
    value = AnyValue(int_value=1)
    for _ in range(MAX_DEPTH + 5):
        value = AnyValue(array_value=ArrayValue(values=[value]))
    request = message()
    request.resource_logs[0].scope_logs[0].log_records[0].attributes[0].value.CopyFrom(value)

    depth, found = 0, parse_protobuf(request.SerializeToString()).events[0]["attributes"]["text"]
    while found is not None:
        depth, [found] = depth + 1, found
    assert depth == MAX_DEPTH


def test_the_partial_success_is_read_by_the_official_library() -> None:
    answer = ExportLogsServiceResponse.FromString(encode_partial_success(300, "Łódź" * 50))

    assert answer.partial_success.rejected_log_records == 300
    assert answer.partial_success.error_message == "Łódź" * 50
    assert encode_partial_success(0, "x") == b""


def parse(**fields: Any) -> DialectCall:  # noqa: ANN401
    return otel_logs.parse_call({"event_name": "report.exported", "time": NOON, **fields})


def test_a_record_is_parsed_field_by_field() -> None:
    call = parse(
        attributes={
            "account.id": "acme",
            "user.id": "ada",
            "end_customer.id": "c-42",
            "log.record.uid": "r1",
            "rows": 3,
        },
        resource={
            "service.name": "reports",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.version": "1.45.2",
        },
        scope="exports",
        body="text",
    )

    assert (call.kind, call.name, call.message_id) == ("track", "report.exported", "r1")
    assert (call.account_id, call.user_id, call.sdk) == (
        *("acme", "ada"),
        "opentelemetry-python/1.45.2",
    )
    assert call.timestamp == "2026-03-01T12:00:00.123456+00:00"
    assert call.properties == {
        "service": "reports",
        "scope": "exports",
        "body": "text",
        "end_customer_id": "c-42",
        "rows": 3,
    }


def test_account_and_user_may_belong_to_the_resource_and_the_name_may_be_an_attribute() -> None:
    call = otel_logs.parse_call(
        {
            "attributes": {"event.name": "old.name", "enduser.id": "ada", "user.id": "other"},
            "resource": {"account.id": "acme"},
        }
    )

    assert (call.name, call.account_id, call.user_id) == ("old.name", "acme", "ada")
    assert (call.timestamp, call.properties) == (None, {})


@pytest.mark.parametrize("time", ["soon", 2**200, "9" * 30])
def test_a_time_that_is_none_stays(time: object) -> None:
    call = parse(time=time)

    assert call.timestamp == time
