"""Parse a whole batch: each event is accepted or rejected independently of the others."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from app.events.reading import cloud_events, native, otel_logs, posthog, segment
from app.events.reading.canonical import (
    CanonicalEvent,
    Dialect,
    DialectCall,
    EventRules,
    canonicalize,
)
from app.events.reading.quarantine_codes import QuarantineError, UnreadableLine
from app.events.reading.reused_ids import with_own_id
from app.events.reading.sanitize import sanitize_json
from app.events.reading.times import ReceiveContext, parse_timestamp

MAX_PAYLOAD_BYTES = 64 * 1024
TIMESTAMP_FIELDS = ("timestamp", "originalTimestamp")
DIALECTS: Mapping[str, Dialect] = {
    "segment": segment.parse_call,
    "native": native.parse_call,
    "posthog": posthog.parse_call,
    "cloudevents": cloud_events.parse_call,
    "otel_logs": otel_logs.parse_call,
}
"""The dialects by name, so that a quarantined event can be parsed again."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The raw events of one request. ``suspect``: they must be sanitized before they are stored."""

    events: Sequence[Any]
    suspect: bool = False
    sent_at: Any = None
    write_key: str | None = None


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that cannot be used. ``n``: its place in the batch.

    ``hints``: which fields were not read; they are not stored with the event.
    """

    n: int
    code: str
    pointer: str
    detail: str
    message_id: str | None
    sdk: str | None
    payload: str
    fingerprint: str
    dialect: str
    sent_at: datetime | None
    hints: tuple[str, ...] = ()


@dataclass(slots=True)
class ParsedBatch:
    """The events of a batch by outcome; ``n`` is the place of an event in the batch.

    ``repeats``: events whose id and time occurred earlier in the same batch, by ``n``.
    ``reused``: the ``n`` of repeats whose content differs from the first event.
    ``erased``: the message ids of events of erased people and accounts, by ``n``.
    """

    events: list[CanonicalEvent] = field(default_factory=list)
    rejected: list[RejectedEvent] = field(default_factory=list)
    repeats: dict[int, CanonicalEvent] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)
    erased: dict[int, str | None] = field(default_factory=dict)


def parse_batch(
    batch: Batch, dialect: Dialect, rules: EventRules, received: ReceiveContext
) -> ParsedBatch:
    parsed = ParsedBatch()
    first: dict[tuple[str, object], CanonicalEvent] = {}
    for n, raw in enumerate(batch.events):
        storable: Any = None
        warnings: frozenset[str] = frozenset()
        try:
            storable, warnings = _make_storable(raw, batch)
            event = canonicalize(n, storable, dialect, rules, received, sanitize_warnings=warnings)
        except QuarantineError as error:
            content = raw if storable is None else storable
            parsed.rejected.append(_rejected_event(n, content, error, dialect, batch.sent_at))
            continue
        earlier = first.setdefault((event.message_id, event.client_at), event)
        if event.reuses_ids and earlier.fingerprint != event.fingerprint:
            event = with_own_id(event)
            earlier = first.setdefault((event.message_id, event.client_at), event)
        if earlier is event:
            parsed.events.append(event)
        else:
            parsed.repeats[n] = event
            if earlier.fingerprint != event.fingerprint:
                parsed.reused.add(n)
    return parsed


def _make_storable(raw: Any, batch: Batch) -> tuple[Any, frozenset[str]]:  # noqa: ANN401 - any JSON
    if not batch.suspect:
        return raw, frozenset()
    if isinstance(raw, UnreadableLine):
        raise QuarantineError("invalid_json", "", line=raw.line)
    try:
        storable, warnings = sanitize_json(raw)
    except RecursionError:
        raise QuarantineError("too_deep", "") from None
    if warnings and isinstance(raw, dict) and _lost_its_timestamp(raw, storable):
        raise QuarantineError("invalid_timestamp", "/timestamp")
    return storable, warnings


def _lost_its_timestamp(raw: Mapping[str, Any], storable: Mapping[str, Any]) -> bool:
    """Whether sanitizing removed the timestamp, without which the event would count as of now."""
    return any(
        raw.get(name) is not None and storable[name] is None
        for name in TIMESTAMP_FIELDS
        if name in raw
    )


def _rejected_event(
    n: int,
    raw: Any,  # noqa: ANN401 - any JSON
    error: QuarantineError,
    dialect: Dialect,
    sent_at: Any,  # noqa: ANN401 - any JSON
) -> RejectedEvent:
    payload = _as_json(raw)
    call = _parse_rejected(raw, dialect)
    return RejectedEvent(
        n,
        error.code,
        error.pointer,
        error.detail,
        _short_text(call.message_id if call else _field(raw, "messageId", "message_id", "id"), 255),
        _short_text(call.sdk if call else _sdk_name(raw), 100),
        payload[:MAX_PAYLOAD_BYTES].decode(errors="ignore"),
        sha256(error.code.encode() + payload).hexdigest(),
        next(name for name, each in DIALECTS.items() if each is dialect),
        _parse_sent_at(sent_at),
        call.hints if call else (),
    )


def _parse_rejected(raw: Any, dialect: Dialect) -> DialectCall | None:  # noqa: ANN401 - any JSON
    try:
        return dialect(raw) if isinstance(raw, dict) else None
    except QuarantineError:
        return None


def _field(raw: Any, *names: str) -> Any:  # noqa: ANN401 - any JSON
    return (
        next((raw[name] for name in names if name in raw), None) if isinstance(raw, dict) else None
    )


def _sdk_name(raw: Any) -> Any:  # noqa: ANN401 - any JSON
    return (segment.sdk_name(raw) if isinstance(raw, dict) else None) or _field(raw, "sdk")


def _short_text(value: Any, length: int) -> str | None:  # noqa: ANN401 - any JSON
    return str(sanitize_json(value[:length])[0]) if isinstance(value, str) else None


def _parse_sent_at(value: Any) -> datetime | None:  # noqa: ANN401 - any JSON
    try:
        return None if value is None else parse_timestamp(value)[0]
    except QuarantineError:
        return None


def _as_json(raw: Any) -> bytes:  # noqa: ANN401 - any JSON
    if isinstance(raw, UnreadableLine):
        return raw.text.encode()
    try:
        return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # nested too deep or not storable: write escapes instead
        try:
            return json.dumps(raw, sort_keys=True).encode()
        except RecursionError:
            return b"null"
