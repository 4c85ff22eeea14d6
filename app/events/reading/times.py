"""Client time: parse the timestamps of SDKs, and decide when an event happened."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.accounts.traits import parse_time
from app.events.reading.quarantine_codes import QuarantineError

MIN_EPOCH_MILLISECONDS = 100_000_000_000
"""A smaller number is in seconds. As seconds this one would be the year 5138."""
MIN_EPOCH_DIGITS = 9
"""A string of fewer digits is not a time since the epoch: 20260131 is a date."""
TOLERATED_SKEW = timedelta(seconds=60)
ACCEPTED_AHEAD = timedelta(minutes=5)
CLAMPED_AHEAD = timedelta(hours=24)
MAX_PLAUSIBLE_SKEW = timedelta(days=3650)
"""With a larger skew ``sentAt`` is not a real time: Go writes the year 1 if it is not set."""


@dataclass(frozen=True, slots=True)
class ReceiveContext:
    """When a request was received, and the time of the oldest event that is accepted.

    ``oldest`` None: events of any age, for imports. ``now``: the time of a replay, until which an
    event may lie behind its receipt; None: it is received now.
    """

    at: datetime
    oldest: datetime | None
    sent_at: Any = None
    idempotency_key: str | None = None
    now: datetime | None = None

    @property
    def day_start(self) -> datetime:
        return self.at.replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class EventTime:
    """When an event happened. ``untimed``: the client sent no timestamp.

    ``client_at``: the client's timestamp, unaltered. ``occurred_at``: corrected for clock skew.
    """

    client_at: datetime
    occurred_at: datetime
    skew_seconds: int | None = None
    untimed: bool = False
    warning: str | None = None


def resolve_time(timestamp: Any, sent_at: Any, received: ReceiveContext) -> EventTime:  # noqa: ANN401
    """Return when an event happened.

    Raises ``QuarantineError`` if the timestamp is invalid, too old, or too far in the future.
    """
    if timestamp is None:
        return EventTime(received.day_start, received.at, untimed=True)
    client_at, warning = parse_timestamp(timestamp)
    skew = _skew(sent_at if sent_at is not None else received.sent_at, received.at)
    occurred_at = _corrected(client_at, skew)
    ahead = occurred_at - received.at
    if ahead > CLAMPED_AHEAD:
        if received.now is None or occurred_at > received.now:
            raise QuarantineError("future_timestamp", "/timestamp")
    elif ahead > ACCEPTED_AHEAD:
        occurred_at, warning = received.at, "future_timestamp_clamped"
    if received.oldest is not None and occurred_at < received.oldest:
        raise QuarantineError("too_old", "/timestamp")
    seconds = None if skew is None else round(skew.total_seconds())
    return EventTime(client_at, occurred_at, seconds, warning=warning)


def parse_timestamp(value: Any) -> tuple[datetime, str | None]:  # noqa: ANN401 - any JSON value
    """Parse RFC 3339, or epoch seconds or milliseconds; return the instant and a warning code.

    A time without a zone is UTC and has the warning ``naive_timestamp``.
    """
    try:
        if isinstance(value, str):
            if value.isdigit() and len(value) >= MIN_EPOCH_DIGITS:
                return _from_epoch(int(value)), None
            parsed = parse_time(value)
            if parsed.tzinfo is None:
                return parsed.replace(tzinfo=UTC), "naive_timestamp"
            return parsed.astimezone(UTC), None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_epoch(value), None
    except (ValueError, OverflowError, OSError):
        pass
    raise QuarantineError("invalid_timestamp", "/timestamp")


def _from_epoch(number: float) -> datetime:
    seconds = number / 1000 if number >= MIN_EPOCH_MILLISECONDS else number
    return datetime.fromtimestamp(seconds, UTC)


def _corrected(client_at: datetime, skew: timedelta | None) -> datetime:
    if skew is None or skew <= TOLERATED_SKEW:
        return client_at
    try:
        return client_at - skew
    except OverflowError:
        raise QuarantineError("invalid_timestamp", "/timestamp") from None


def _skew(sent_at: Any, received_at: datetime) -> timedelta | None:  # noqa: ANN401 - any JSON value
    """Return how far the client's clock is ahead: its time of sending minus the receive time."""
    if sent_at is None:
        return None
    try:
        skew = parse_timestamp(sent_at)[0] - received_at
    except QuarantineError:
        return None
    return skew if abs(skew) <= MAX_PLAUSIBLE_SKEW else None
