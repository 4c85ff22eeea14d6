"""When a delivery is tried again, and when it is given up. Pure."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DELAYS = (
    *(0 * SECOND, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR),
    *(5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
"""Before the first attempt, the second, and so on."""
JITTER = 0.2
MAX_WAIT = timedelta(days=1)


def next_attempt_at(
    message_id: str, attempts: int, at: datetime, *, wait: timedelta | None = None
) -> datetime | None:
    """Say when to try again after so many attempts; None: never.

    Spread upwards by a fifth, so that what failed together does not come back together. ``wait``:
    what the receiver asked for, if that is longer.
    """
    if attempts >= len(DELAYS):
        return None
    delay = DELAYS[attempts] * (1 + JITTER * _fraction(f"{message_id}.{attempts}"))
    return at + max(delay, wait or delay)


def _fraction(text: str) -> float:
    """Return a number of [0, 1) that is always the same for a text."""
    return float(int.from_bytes(sha256(text.encode()).digest()[:6])) / 2**48


def parse_retry_after(text: str | None, at: datetime) -> timedelta | None:
    """Read a Retry-After: seconds or a date. What nobody can mean is not listened to."""
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
