"""When a delivery is tried again and when it has finally failed. Pure."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DELAYS = (
    *(0 * SECOND, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR),
    *(5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
"""The delay before the first attempt, before the second, and so on."""
JITTER = 0.2
MAX_WAIT = timedelta(days=1)


def next_attempt_at(
    message_id: str, attempts: int, at: datetime, *, wait: timedelta | None = None
) -> datetime | None:
    """Return when to try again after ``attempts`` attempts, the last at ``at``; None: give up.

    A jitter of up to a fifth is added, so that deliveries that failed together are not retried
    together; it depends on the message id and the attempt only. ``wait``: the receiver's
    Retry-After, which counts if it is longer.
    """
    if attempts >= len(DELAYS):
        return None
    delay = DELAYS[attempts] * (1 + JITTER * _fraction(f"{message_id}.{attempts}"))
    return at + max(delay, wait or delay)


def longest_wait(attempts: int) -> timedelta:
    """Return the longest wait after ``attempts`` attempts, if the receiver asks for none."""
    return DELAYS[attempts] * (1 + JITTER)


def _fraction(text: str) -> float:
    """Return a number in [0, 1) that is always the same for a text."""
    return float(int.from_bytes(sha256(text.encode()).digest()[:6])) / 2**48


def parse_retry_after(text: str | None, at: datetime) -> timedelta | None:
    """Parse a Retry-After header, seconds or a date, into a wait of at most ``MAX_WAIT``.

    Return None if the header is absent or invalid.
    """
    if not text:
        return None
    try:
        wait = timedelta(seconds=int(text)) if text.isdecimal() else _until(text, at)
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), MAX_WAIT)


def _until(text: str, at: datetime) -> timedelta:
    date = parsedate_to_datetime(text)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - at
