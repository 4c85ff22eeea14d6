"""Lists: ``{items, next_cursor}``. A cursor says after which row to go on, so none has an end."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import ProblemError

ItemT = TypeVar("ItemT")
RowT = TypeVar("RowT")
PositionType = type | tuple[type, ...]

MAX_INTEGER = 2**63 - 1


class Page(BaseModel, Generic[ItemT]):
    """One page of a list."""

    model_config = ConfigDict(from_attributes=True)

    items: Sequence[ItemT]
    next_cursor: str | None = Field(description="Ask again with it; null on the last page.")


Limit = Annotated[int, Query(ge=1, le=1000, description="How many items at most.")]
Cursor = Annotated[
    str | None,
    Query(alias="cursor", max_length=2000, description="`next_cursor` of the page before."),
]


class InvalidCursorError(ProblemError):
    """Any text is a well-formed cursor, but not each leads to a page."""

    status = HTTPStatus.NOT_FOUND
    code = "invalid_cursor"

    def __init__(self, detail: str = "This cursor is not one of ours.") -> None:
        super().__init__(detail)


def encode_cursor(*position: object) -> str:
    return urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: PositionType) -> list[Any] | None:
    """Read a cursor back; its parts must be of the kinds that the list put in."""
    if cursor is None:
        return None
    try:
        position = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        position = None
    if not isinstance(position, list) or len(position) != len(kinds):
        raise InvalidCursorError
    return [_part(part, kind) for part, kind in zip(position, kinds, strict=True)]


def _part(part: object, kind: PositionType) -> object:
    """Return what a list could have put in: of the very type, and of a size that can be stored."""
    if kind in {date, datetime}:
        return _time(part, kind)
    storable = not isinstance(part, int) or abs(part) <= MAX_INTEGER
    has_nul = isinstance(part, str) and "\x00" in part
    if type(part) not in (kind if isinstance(kind, tuple) else (kind,)) or not storable or has_nul:
        raise InvalidCursorError
    return part


def _time(part: object, kind: Any) -> date:  # noqa: ANN401 - date or datetime
    try:
        time: date = kind.fromisoformat(part)
    except (TypeError, ValueError):
        raise InvalidCursorError from None
    if isinstance(time, datetime) and time.tzinfo is None:
        raise InvalidCursorError
    return time


def cut_page(
    rows: Sequence[RowT], limit: int, place: Callable[[RowT], object]
) -> tuple[Sequence[RowT], str | None]:
    """Cut one row too many off, and name the place to go on from."""
    if len(rows) <= limit:
        return rows, None
    kept = rows[:limit]
    last = place(kept[-1])
    return kept, encode_cursor(*(last if isinstance(last, tuple) else (last,)))


@dataclass(frozen=True, slots=True)
class RowPage(Generic[RowT]):
    """The rows of one page, and the cursor of the page after it."""

    rows: Sequence[RowT]
    next_cursor: str | None

    def to_page(self, shown: Callable[[RowT], ItemT]) -> Page[ItemT]:
        return Page(items=[shown(row) for row in self.rows], next_cursor=self.next_cursor)


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is asked for. A place is one value of a row, or a tuple of several."""

    limit: int
    cursor: str | None

    @property
    def fetch_limit(self) -> int:
        """How many rows to look for: one more than are shown says whether the list goes on."""
        return self.limit + 1

    def after(self, *kinds: PositionType) -> Any:  # noqa: ANN401 - what the kinds say
        """Return the place where the page before ended; None on the first page."""
        position = decode_cursor(self.cursor, *kinds)
        if position is None:
            return None
        return tuple(position) if len(kinds) > 1 else position[0]

    def cut(
        self, rows: Sequence[RowT], place: Callable[[RowT], object]
    ) -> tuple[Sequence[RowT], str | None]:
        return cut_page(rows, self.limit, place)

    def page(
        self, rows: Sequence[RowT], shown: Callable[[RowT], ItemT], place: Callable[[RowT], object]
    ) -> Page[ItemT]:
        return RowPage(*self.cut(rows, place)).to_page(shown)


async def _paging(limit: Limit = 100, cursor: Cursor = None) -> Paging:
    return Paging(limit, cursor)


PagingDep = Annotated[Paging, Depends(_paging)]
