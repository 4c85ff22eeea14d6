"""Read a whole batch: every event is accepted or put aside on its own account."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from app.events import repair, times
from app.events.canonical import Dialect, Event, Rules, canonical
from app.events.dialects import name_of
from app.events.quarantine import QuarantineError, Unreadable
from app.events.segment import library
from app.events.times import Received

MAX_PAYLOAD = 64 * 1024
TIMES = ("timestamp", "originalTimestamp")


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one request as they came. ``suspect``: they may need repair."""

    events: Sequence[Any]
    suspect: bool = False
    sent_at: Any = None
    write_key: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
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
class Reading:
    """``repeats`` came before in the same batch; ``erased`` maps a number to the message id."""

    events: list[Event] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repeats: dict[int, Event] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)
    erased: dict[int, str | None] = field(default_factory=dict)


def read(batch: Batch, dialect: Dialect, rules: Rules, received: Received) -> Reading:
    reading = Reading()
    first: dict[tuple[str, object], Event] = {}
    for n, raw in enumerate(batch.events):
        storable: Any = None
        repaired: frozenset[str] = frozenset()
        try:
            storable, repaired = _storable(raw, batch)
            event = canonical(n, storable, dialect, rules, received, repaired=repaired)
        except QuarantineError as error:
            content = raw if storable is None else storable
            reading.rejected.append(_rejected(n, content, error, dialect, batch.sent_at))
            continue
        earlier = first.setdefault((event.message_id, event.client_at), event)
        if earlier is event:
            reading.events.append(event)
        else:
            reading.repeats[n] = event
            if earlier.fingerprint != event.fingerprint:
                reading.reused.add(n)
    return reading


def _storable(raw: Any, batch: Batch) -> tuple[Any, frozenset[str]]:  # noqa: ANN401 - any JSON
    if not batch.suspect:
        return raw, frozenset()
    if isinstance(raw, Unreadable):
        raise QuarantineError("invalid_json", "", line=raw.line)
    try:
        storable, repaired = repair.repair(raw)
    except RecursionError:
        raise QuarantineError("too_deep", "") from None
    if repaired and isinstance(raw, dict) and _has_lost_its_time(raw, storable):
        raise QuarantineError("invalid_timestamp", "/timestamp")
    return storable, repaired


def _has_lost_its_time(raw: Mapping[str, Any], storable: Mapping[str, Any]) -> bool:
    """Whether the time was no number: an event without one would count as of now."""
    return any(
        raw.get(name) is not None and storable[name] is None for name in TIMES if name in raw
    )


def _rejected(
    n: int,
    raw: Any,  # noqa: ANN401 - any JSON
    error: QuarantineError,
    dialect: Dialect,
    sent_at: Any,  # noqa: ANN401 - as it came
) -> Rejected:
    payload = _as_json(raw)
    known = isinstance(raw, dict)
    return Rejected(
        n,
        error.code,
        error.pointer,
        error.detail,
        _message_id(raw) if known else None,
        _sdk(raw) if known else None,
        payload[:MAX_PAYLOAD].decode(errors="ignore"),
        sha256(error.code.encode() + payload).hexdigest(),
        name_of(dialect),
        _time(sent_at),
    )


def _sdk(raw: Mapping[str, Any]) -> str | None:
    said = library(raw) or raw.get("sdk")
    return str(repair.repair(said[:100])[0]) if isinstance(said, str) else None


def _time(said: Any) -> datetime | None:  # noqa: ANN401 - as it came
    try:
        return None if said is None else times.parse(said)[0]
    except QuarantineError:
        return None


def _as_json(raw: Any) -> bytes:  # noqa: ANN401 - any JSON
    if isinstance(raw, Unreadable):
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
    return str(repair.repair(message_id[:255])[0])
