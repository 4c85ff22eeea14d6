"""Read a whole batch: every event is accepted or put aside on its own account."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from app.events.reading import sanitize, times
from app.events.reading.canonical import CanonicalEvent, Dialect, EventRules, canonicalize
from app.events.reading.dialects import dialect_name
from app.events.reading.quarantine_codes import QuarantineError, UnreadableLine
from app.events.reading.segment import sdk_name
from app.events.reading.times import ReceiveContext

MAX_PAYLOAD_BYTES = 64 * 1024
TIMESTAMP_FIELDS = ("timestamp", "originalTimestamp")


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one request as they came. ``suspect``: they may need repair."""

    events: Sequence[Any]
    suspect: bool = False
    sent_at: Any = None
    write_key: str | None = None


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that cannot be used; the field names are the columns of the quarantine."""

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


@dataclass(slots=True)
class ParsedBatch:
    """``repeats`` came before in the same batch; ``erased`` maps a number to the message id."""

    events: list[CanonicalEvent] = field(default_factory=list)
    rejected: list[RejectedEvent] = field(default_factory=list)
    repeats: dict[int, CanonicalEvent] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)
    erased: dict[int, str | None] = field(default_factory=dict)


def parse_batch(
    batch: Batch, dialect: Dialect, rules: EventRules, received: ReceiveContext
) -> ParsedBatch:
    reading = ParsedBatch()
    first: dict[tuple[str, object], CanonicalEvent] = {}
    for n, raw in enumerate(batch.events):
        storable: Any = None
        repaired: frozenset[str] = frozenset()
        try:
            storable, repaired = _make_storable(raw, batch)
            event = canonicalize(n, storable, dialect, rules, received, repaired=repaired)
        except QuarantineError as error:
            content = raw if storable is None else storable
            reading.rejected.append(_rejected_event(n, content, error, dialect, batch.sent_at))
            continue
        earlier = first.setdefault((event.message_id, event.client_at), event)
        if earlier is event:
            reading.events.append(event)
        else:
            reading.repeats[n] = event
            if earlier.fingerprint != event.fingerprint:
                reading.reused.add(n)
    return reading


def _make_storable(raw: Any, batch: Batch) -> tuple[Any, frozenset[str]]:  # noqa: ANN401 - any JSON
    if not batch.suspect:
        return raw, frozenset()
    if isinstance(raw, UnreadableLine):
        raise QuarantineError("invalid_json", "", line=raw.line)
    try:
        storable, repaired = sanitize.sanitize_json(raw)
    except RecursionError:
        raise QuarantineError("too_deep", "") from None
    if repaired and isinstance(raw, dict) and _lost_its_timestamp(raw, storable):
        raise QuarantineError("invalid_timestamp", "/timestamp")
    return storable, repaired


def _lost_its_timestamp(raw: Mapping[str, Any], storable: Mapping[str, Any]) -> bool:
    """Whether the time was no number: an event without one would count as of now."""
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
    sent_at: Any,  # noqa: ANN401 - as it came
) -> RejectedEvent:
    payload = _as_json(raw)
    known = isinstance(raw, dict)
    return RejectedEvent(
        n,
        error.code,
        error.pointer,
        error.detail,
        _message_id(raw) if known else None,
        _sdk_name(raw) if known else None,
        payload[:MAX_PAYLOAD_BYTES].decode(errors="ignore"),
        sha256(error.code.encode() + payload).hexdigest(),
        dialect_name(dialect),
        _parse_sent_at(sent_at),
    )


def _sdk_name(raw: Mapping[str, Any]) -> str | None:
    said = sdk_name(raw) or raw.get("sdk")
    return str(sanitize.sanitize_json(said[:100])[0]) if isinstance(said, str) else None


def _parse_sent_at(said: Any) -> datetime | None:  # noqa: ANN401 - as it came
    try:
        return None if said is None else times.parse_timestamp(said)[0]
    except QuarantineError:
        return None


def _as_json(raw: Any) -> bytes:  # noqa: ANN401 - any JSON
    if isinstance(raw, UnreadableLine):
        return raw.text.encode()
    try:
        return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # too deep, or with what cannot be stored: then as escapes
        try:
            return json.dumps(raw, sort_keys=True).encode()
        except RecursionError:
            return b"null"


def _message_id(raw: Mapping[str, Any]) -> str | None:
    message_id = raw.get("messageId", raw.get("message_id"))
    if not isinstance(message_id, str):
        return None
    return str(sanitize.sanitize_json(message_id[:255])[0])
