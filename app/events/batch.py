"""Read a whole batch: every event is accepted or put aside on its own account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from app.events import repair
from app.events.canonical import Dialect, Event, Rules, canonical
from app.events.quarantine import QuarantineError
from app.events.times import Received

MAX_PAYLOAD = 64 * 1024


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
    payload: str
    fingerprint: str


@dataclass(slots=True)
class Reading:
    """``repeats`` came before in the same batch; the value is the number of the first."""

    events: list[Event] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repeats: dict[int, Event] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)


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
            reading.rejected.append(_rejected(n, storable, error))
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
    try:
        return repair.repair(raw)
    except RecursionError:
        raise QuarantineError("too_deep", "") from None


def _rejected(n: int, raw: Any, error: QuarantineError) -> Rejected:  # noqa: ANN401 - any JSON
    try:
        payload = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        payload = b"null"
    message_id = _message_id(raw) if isinstance(raw, dict) else None
    return Rejected(
        n,
        error.code,
        error.pointer,
        error.detail,
        message_id,
        payload[:MAX_PAYLOAD].decode(errors="ignore"),
        sha256(error.code.encode() + payload).hexdigest(),
    )


def _message_id(raw: Mapping[str, Any]) -> str | None:
    message_id = raw.get("messageId", raw.get("message_id"))
    return message_id[:255] if isinstance(message_id, str) else None
