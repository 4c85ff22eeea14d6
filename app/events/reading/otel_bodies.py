"""The bodies of OpenTelemetry's log exporters, protobuf or JSON: one flat object for each record.

Protobuf is decoded here: the few messages of logs do not earn a dependency.
"""

import struct
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.events.reading.batch import Batch
from app.events.reading.decoding import parse_json
from app.events.reading.errors import InvalidBodyError, NotAnObjectError
from app.events.reading.segment import as_mapping

MAX_DEPTH = 40
"""Deeper values become null; a valid event has fewer levels."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BYTES, MORE_BYTES = 10, 0x80
MAX_INTEGER_DIGITS = 19
Fields = dict[int, list[Any]]


def parse_protobuf(body: bytes) -> Batch:
    """Parse an ``ExportLogsServiceRequest``."""
    try:
        return Batch(list(_records(body)), suspect=True)
    except (IndexError, AttributeError, TypeError, struct.error):
        raise InvalidBodyError("The body is not an ExportLogsServiceRequest.") from None


def parse_json_body(body: bytes) -> Batch:
    """Parse the same in OTLP's JSON."""
    request = parse_json(body).value
    if not isinstance(request, dict):
        raise NotAnObjectError('The body must be a JSON object with an array "resourceLogs".')
    return Batch(list(_json_records(request)), suspect=True)


def encode_partial_success(rejected: int, message: str) -> bytes:
    """Return an ``ExportLogsServiceResponse``; an empty one means that nothing was rejected."""
    if not rejected:
        return b""
    text = message.encode()
    inner = b"\x08" + _encode_varint(rejected) + b"\x12" + _encode_varint(len(text)) + text
    return b"\x0a" + _encode_varint(len(inner)) + inner


def _records(body: bytes) -> Iterator[dict[str, Any]]:
    for resource_logs in _fields(body)[1]:
        of_resource = _fields(resource_logs)
        resource = _attributes(_merged(of_resource[1])[1])
        for scope_logs in of_resource[2]:
            of_scope = _fields(scope_logs)
            scope = _text(_merged(of_scope[1])[1])
            for record in map(_fields, of_scope[2]):
                yield _without_nothing(
                    {
                        "event_name": _text(record[12]),
                        "time": _fixed64(record[1]),
                        "observed_time": _fixed64(record[11]),
                        "body": _value(record[5][-1], 1) if record[5] else None,
                        "attributes": _attributes(record[6]),
                        "resource": resource,
                        "scope": scope,
                    }
                )


def _without_nothing(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value not in (None, "", {})}


def _fields(message: bytes) -> Fields:
    """Return the values of a message by field number: bytes, whole numbers, or raw fixed bytes."""
    found: Fields = defaultdict(list)
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        kind = tag & 7
        value: Any
        if kind == VARINT:
            value, at = _varint(message, at)
        elif kind == BYTES:
            size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
        elif kind in {FIXED64, FIXED32}:
            size = 8 if kind == FIXED64 else 4
            value, at = message[at : at + size], at + size
        else:
            raise InvalidBodyError("The body is not protobuf.")
        found[tag >> 3].append(value)
    if at > end:
        raise InvalidBodyError("The body is incomplete: send it again.")
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    result = 0
    for n in range(MAX_VARINT_BYTES):
        byte = message[at + n]
        result |= (byte % MORE_BYTES) << (7 * n)
        if byte < MORE_BYTES:
            return result, at + n + 1
    raise InvalidBodyError("The body is not protobuf.")


def _encode_varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= MORE_BYTES:
        encoded.append(number % MORE_BYTES + MORE_BYTES)
        number >>= 7
    return bytes([*encoded, number])


def _merged(messages: list[bytes]) -> Fields:
    return _fields(b"".join(messages))


def _text(values: list[bytes]) -> str:
    return values[-1].decode(errors="replace") if values else ""


def _fixed64(values: list[bytes]) -> int | None:
    return struct.unpack("<Q", values[-1])[0] or None if values else None


def _attributes(pairs: list[bytes], depth: int = 1) -> dict[str, Any]:
    found = {}
    for pair in map(_fields, pairs):
        found[_text(pair[1])] = _value(pair[2][-1], depth) if pair[2] else None
    return found


def _value(message: bytes, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    if depth > MAX_DEPTH:
        return None
    for field, values in _fields(message).items():
        if field in VALUES:
            return VALUES[field](values[-1], depth)
    return None


VALUES: Mapping[int, Callable[[Any, int], Any]] = {
    1: lambda value, _: value.decode(errors="replace"),
    2: lambda value, _: bool(value),
    3: lambda value, _: value - 2**64 if value >= 2**63 else value,
    4: lambda value, _: struct.unpack("<d", value)[0],
    5: lambda value, depth: [_value(each, depth + 1) for each in _fields(value)[1]],
    6: lambda value, depth: _attributes(_fields(value)[1], depth + 1),
    7: lambda value, _: b64encode(value).decode(),
}
"""How the fields of an attribute's value are read."""


def _json_records(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource_logs in _objects(request.get("resourceLogs")):
        resource = _json_attributes(as_mapping(resource_logs.get("resource")).get("attributes"))
        for scope_logs in _objects(resource_logs.get("scopeLogs")):
            scope = as_mapping(scope_logs.get("scope")).get("name")
            for record in _objects(scope_logs.get("logRecords")):
                yield _without_nothing(
                    {
                        "event_name": record.get("eventName"),
                        "time": _json_time(record.get("timeUnixNano")),
                        "observed_time": _json_time(record.get("observedTimeUnixNano")),
                        "body": _json_value(record.get("body"), 1),
                        "attributes": _json_attributes(record.get("attributes")),
                        "resource": resource,
                        "scope": scope,
                    }
                )


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        yield from (as_mapping(each) for each in value)


def _json_time(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the nanoseconds, which are a text or a number; 0 is no time."""
    if value is None or value in ("0", 0):
        return None
    return value if isinstance(value, str | int) else str(value)


def _json_attributes(pairs: Any, depth: int = 1) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    return {str(pair.get("key")): _json_value(pair.get("value"), depth) for pair in _objects(pairs)}


def _json_value(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    if depth > MAX_DEPTH or not isinstance(value, dict) or not value:
        return None
    [(kind, inner), *_] = value.items()
    if kind == "arrayValue":
        items = as_mapping(inner).get("values")
        return [_json_value(each, depth + 1) for each in _objects(items)]
    if kind == "kvlistValue":
        return _json_attributes(as_mapping(inner).get("values"), depth + 1)
    if kind == "intValue" and isinstance(inner, str) and len(inner) <= MAX_INTEGER_DIGITS:
        return int(inner) if inner.removeprefix("-").isdecimal() else inner
    return inner
