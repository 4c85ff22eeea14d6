"""The position of a polling reader in the change feed, as a cursor."""

from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.pagination import InvalidCursorError, decode_cursor, encode_cursor

RETENTION = timedelta(days=30)
CURSOR_MAX_AGE = timedelta(days=29)
"""Shorter than the retention, so that no change after an accepted cursor was deleted."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the clock of a reader may be ahead."""


class FeedPosition(NamedTuple):
    """The last change that was read: the id of its transaction and its number."""

    transaction_id: int
    number: int

    def cursor(self, now: datetime) -> str:
        return encode_cursor(*self, int(now.timestamp()))


OLDEST_POSITION = FeedPosition(-1, -1)


def position_before(first: tuple[int, int] | None, oldest_running: int) -> FeedPosition:
    """Return the position from which a change is read, and all of running transactions.

    These may hold older changes than the first one that can be seen.
    """
    running = FeedPosition(oldest_running, -1)
    return running if first is None else min(running, FeedPosition(first[0], first[1] - 1))


def parse_cursor(cursor: str, *, now: datetime, oldest_running: int) -> FeedPosition:
    """Parse a cursor. Raise InvalidCursorError if the reader could miss changes with it.

    That is a cursor that is too old, or one with a transaction id that does not exist yet: it
    was issued by another database cluster.
    """
    transaction_id, number, issued_at = decode_cursor(cursor, int, int, int) or []
    if transaction_id > oldest_running:
        raise InvalidCursorError(
            "The cursor was issued by another database: start again without a cursor."
        )
    if issued_at < (now - CURSOR_MAX_AGE).timestamp():
        raise InvalidCursorError(
            f"The cursor is older than {CURSOR_MAX_AGE.days} days: start again without a cursor."
        )
    return FeedPosition(transaction_id, number)
