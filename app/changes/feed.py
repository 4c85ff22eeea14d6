"""The place of a polling reader in the feed: what it has seen, and when it last asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.pagination import InvalidCursorError, decode_cursor, encode_cursor

RETENTION = timedelta(days=30)
CURSOR_MAX_AGE = timedelta(days=29)
"""A cursor is refused before the first change behind it can have been dropped."""


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """After which change to go on: the id of its transaction, and its number."""

    transaction_id: int
    number: int

    def cursor(self, now: datetime) -> str:
        return encode_cursor(self.transaction_id, self.number, int(now.timestamp()))

    @property
    def key(self) -> tuple[int, int]:
        return self.transaction_id, self.number


OLDEST_POSITION = FeedPosition(-1, -1)


def parse_cursor(cursor: str, *, now: datetime, oldest_running: int) -> FeedPosition:
    """Read a cursor. Raises InvalidCursorError for one that could lead past changes unseen.

    That is one that lay unused for too long, and one of transactions that are yet to come: it is
    of another database cluster.
    """
    found = decode_cursor(cursor, int, int, int)
    assert found is not None  # noqa: S101 - only no cursor has no place
    place, asked_at = FeedPosition(found[0], found[1]), found[2]
    if place.transaction_id > oldest_running:
        raise InvalidCursorError("This cursor is of another database. Begin anew without one.")
    if asked_at < (now - CURSOR_MAX_AGE).timestamp():
        raise InvalidCursorError("This cursor is older than what is kept. Begin anew without one.")
    return place
