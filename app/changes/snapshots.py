"""The moment of the first page of a list, as a part of its cursors. Pure (docs/adr/0033)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from app.core.pagination import MAX_INTEGER, InvalidCursorError

RETENTION = timedelta(hours=2)
MAX_AGE = timedelta(hours=1)
"""Shorter than the retention, so that no value that an accepted cursor needs was deleted."""

RowT = TypeVar("RowT")
OFFSETS = re.compile(r"(\d{1,10}(,\d{1,10})*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """Which transactions had ended at a moment: what a snapshot of PostgreSQL says.

    All below ``oldest`` had ended, none from ``next_id`` on, and not those in ``running``.
    ``number``: the last change by then of the reader's own transaction, if that writes.
    """

    oldest: int
    next_id: int
    running: tuple[int, ...]
    number: int
    taken_at: int

    TYPES = (int, int, str, int, int)

    def cursor_parts(self) -> tuple[int, int, str, int, int]:
        offsets = ",".join(str(each - self.oldest) for each in self.running)
        return (self.oldest, self.next_id, offsets, self.number, self.taken_at)

    def sql_values(self) -> dict[str, Any]:
        """Return the parameters of SQL that looks for changes since, beside the workspace."""
        return {
            "oldest": self.oldest,
            "next_id": self.next_id,
            "running": list(self.running),
            "number": self.number,
        }

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:  # noqa: ANN401 - a row with these columns
        running, taken_at = tuple(row.running), int(now.timestamp())
        return cls(row.oldest, row.next_id, running, row.number, taken_at)

    @classmethod
    def parse(cls, parts: Sequence[Any], *, now: datetime) -> Self:
        """Parse the parts of a cursor. Raise InvalidCursorError if they are too old."""
        oldest, next_id, offsets, number, taken_at = parts
        if not OFFSETS.fullmatch(offsets):
            raise InvalidCursorError
        if taken_at < (now - MAX_AGE).timestamp():
            raise InvalidCursorError(
                "The cursor is older than an hour: start again without a cursor. A list that is"
                " sorted by `account_id` can be read at any pace."
            )
        running = tuple(oldest + int(each) for each in offsets.split(",") if each)
        if max(running, default=0) > MAX_INTEGER:
            raise InvalidCursorError
        return cls(oldest, next_id, running, number, taken_at)


def merge_rows(
    unchanged: Sequence[RowT],
    changed: Sequence[RowT],
    *,
    value: Callable[[RowT], Any],
    key: Callable[[RowT], Any],
    descending: bool,
    descending_key: bool = False,
    limit: int,
) -> list[RowT]:
    """Merge rows by value and key, null last. A row that changed between two queries is in both."""
    rows = {key(row): row for row in (*unchanged, *changed)}
    by_key = [rows[each] for each in sorted(rows, reverse=descending_key)]
    known = [row for row in by_key if value(row) is not None]
    known.sort(key=value, reverse=descending)
    return (known + [row for row in by_key if value(row) is None])[:limit]
