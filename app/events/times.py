"""Client time: read what SDKs write, and decide when an event really happened."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.events.quarantine import QuarantineError

MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138
SHORTEST_EPOCH = 9  # digits: a string of eight is a date such as 20260131
AHEAD = timedelta(seconds=60)
KEPT_AHEAD = timedelta(minutes=5)
CLAMPED_AHEAD = timedelta(hours=24)
BELIEVED_SKEW = timedelta(days=3650)  # beyond it ``sentAt`` is no clock: Go writes the year 1


@dataclass(frozen=True, slots=True)
class Received:
    """When a request came, and how old an event may be in it (None: any age, for imports)."""

    at: datetime
    oldest: datetime | None
    sent_at: Any = None
    idempotency_key: str | None = None

    @property
    def day_start(self) -> datetime:
        return self.at.replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Moment:
    """``client_at`` is what the client said, unaltered; ``occurred_at`` what we believe."""

    client_at: datetime
    occurred_at: datetime
    skew_seconds: int | None = None
    untimed: bool = False
    warning: str | None = None


def moment(timestamp: Any, sent_at: Any, received: Received) -> Moment:  # noqa: ANN401
    """Place an event in time, or say why it cannot be."""
    if timestamp is None:
        return Moment(received.day_start, received.at, untimed=True)
    client_at, warning = parse(timestamp)
    skew = _skew(sent_at if sent_at is not None else received.sent_at, received.at)
    occurred_at = _corrected(client_at, skew)
    ahead = occurred_at - received.at
    if ahead > CLAMPED_AHEAD:
        raise QuarantineError("future_timestamp", "/timestamp")
    if ahead > KEPT_AHEAD:
        occurred_at, warning = received.at, "future_timestamp_clamped"
    if received.oldest is not None and occurred_at < received.oldest:
        raise QuarantineError("too_old", "/timestamp")
    seconds = None if skew is None else round(skew.total_seconds())
    return Moment(client_at, occurred_at, seconds, warning=warning)


def parse(value: Any) -> tuple[datetime, str | None]:  # noqa: ANN401 - as it came
    """Read RFC 3339, or epoch seconds or milliseconds; without a zone it is UTC, and said so."""
    try:
        if isinstance(value, str):
            if value.isdigit() and len(value) >= SHORTEST_EPOCH:
                return _from_epoch(int(value)), None
            read = datetime.fromisoformat(value)
            if read.tzinfo is None:
                return read.replace(tzinfo=UTC), "naive_timestamp"
            return read.astimezone(UTC), None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_epoch(value), None
    except (ValueError, OverflowError, OSError):
        pass
    raise QuarantineError("invalid_timestamp", "/timestamp")


def _from_epoch(number: float) -> datetime:
    seconds = number / 1000 if number >= MILLISECONDS_FROM else number
    return datetime.fromtimestamp(seconds, UTC)


def _corrected(client_at: datetime, skew: timedelta | None) -> datetime:
    if skew is None or skew <= AHEAD:
        return client_at
    try:
        return client_at - skew
    except OverflowError:
        raise QuarantineError("invalid_timestamp", "/timestamp") from None


def _skew(sent_at: Any, received_at: datetime) -> timedelta | None:  # noqa: ANN401 - as it came
    """How far the client's clock runs ahead, by when it says that it sent the request."""
    if sent_at is None:
        return None
    try:
        skew = parse(sent_at)[0] - received_at
    except QuarantineError:
        return None
    return skew if abs(skew) <= BELIEVED_SKEW else None
