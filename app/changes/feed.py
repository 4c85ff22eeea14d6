"""The position of a polling reader in the change feed, as a cursor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.pagination import InvalidCursorError, decode_cursor, encode_cursor

RETENTION = timedelta(days=30)
CURSOR_MAX_AGE = timedelta(days=29)
"""Shorter than the retention, so that no change after an accepted cursor was deleted."""


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """The last change that was read: the id of its transaction and its number."""

    transaction_id: int
    number: int

    def cursor(self, now: datetime) -> str:
        return encode_cursor(self.transaction_id, self.number, int(now.timestamp()))

    @property
    def key(self) -> tuple[int, int]:
        return self.transaction_id, self.number


OLDEST_POSITION = FeedPosition(-1, -1)


def parse_cursor(cursor: str, *, now: datetime, oldest_running: int) -> FeedPosition:
    """Parse a cursor. Raise InvalidCursorError if the reader could miss changes with it.

    That is a cursor that is too old, or one with a transaction id that does not exist yet: it
    was issued by another database cluster.
    """
    parts = decode_cursor(cursor, int, int, int)
    assert parts is not None  # noqa: S101 - None only if the cursor is None
    position, issued_at = FeedPosition(parts[0], parts[1]), parts[2]
    if position.transaction_id > oldest_running:
        raise InvalidCursorError(
            "The cursor was issued by another database: start again without a cursor."
        )
    if issued_at < (now - CURSOR_MAX_AGE).timestamp():
        raise InvalidCursorError(
            f"The cursor is older than {CURSOR_MAX_AGE.days} days: start again without a cursor."
        )
    return position
