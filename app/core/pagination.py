"""Keyset pagination: lists answer ``{items, next_cursor}``.

A cursor encodes the position of the last row of a page: one value of the row, or a tuple of several
that identify it. Lists of any length can be read, and rows that are inserted or deleted meanwhile
shift nothing.
"""

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

    model_config = ConfigDict(from_attributes=True, defer_build=True)

    items: Sequence[ItemT]
    next_cursor: str | None = Field(
        description="Send it as `cursor` to get the next page; null on the last page."
    )


Limit = Annotated[int, Query(ge=1, le=1000, description="The maximum number of items.")]
Cursor = Annotated[
    str | None,
    Query(alias="cursor", max_length=2000, description="`next_cursor` of the previous page."),
]


class InvalidCursorError(ProblemError):
    """The cursor was not made by this list."""

    status = HTTPStatus.NOT_FOUND
    code = "invalid_cursor"
    default_detail = (
        "The cursor is invalid: send `next_cursor` of this list, or none to start again."
    )


def encode_cursor(*position: object) -> str:
    return urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *types: PositionType) -> list[Any] | None:
    """Decode a cursor; raise InvalidCursorError unless its parts have the types of the list."""
    if cursor is None:
        return None
    try:
        position = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        position = None
    if not isinstance(position, list) or len(position) != len(types):
        raise InvalidCursorError
    return [_check_part(part, type_) for part, type_ in zip(position, types, strict=True)]


def _check_part(part: object, type_: PositionType) -> object:
    """Return a part of a cursor if it has exactly the type and PostgreSQL can store it."""
    if type_ in {date, datetime}:
        return _parse_time(part, type_)
    is_huge = isinstance(part, int) and abs(part) > MAX_INTEGER
    has_nul = isinstance(part, str) and "\x00" in part
    types = type_ if isinstance(type_, tuple) else (type_,)
    if type(part) not in types or is_huge or has_nul:
        raise InvalidCursorError
    return part


def _parse_time(part: object, type_: Any) -> date:  # noqa: ANN401 - date or datetime
    try:
        time: date = type_.fromisoformat(part)
    except (TypeError, ValueError):
        raise InvalidCursorError from None
    if isinstance(time, datetime) and time.tzinfo is None:
        raise InvalidCursorError
    return time


@dataclass(frozen=True, slots=True)
class RowPage(Generic[RowT]):
    """The rows of one page and the cursor of the next page."""

    rows: Sequence[RowT]
    next_cursor: str | None

    def to_page(self, convert: Callable[[RowT], ItemT]) -> Page[ItemT]:
        """Convert the rows to the items of an answer."""
        return Page(items=[convert(row) for row in self.rows], next_cursor=self.next_cursor)


@dataclass(frozen=True, slots=True)
class Paging:
    """The page of a list that is requested."""

    limit: int
    cursor: str | None

    @property
    def fetch_limit(self) -> int:
        """The number of rows to fetch: one more than the page, to know whether more follow."""
        return self.limit + 1

    def position(self, *types: PositionType) -> Any:  # noqa: ANN401 - of the types
        """Return the position after which the page starts; None on the first page."""
        position = decode_cursor(self.cursor, *types)
        if position is None:
            return None
        return tuple(position) if len(types) > 1 else position[0]

    def cut(self, rows: Sequence[RowT], position_of: Callable[[RowT], object]) -> RowPage[RowT]:
        """Cut ``fetch_limit`` rows to the page, with the cursor of the next page."""
        if len(rows) <= self.limit:
            return RowPage(rows, None)
        page_rows = rows[: self.limit]
        last = position_of(page_rows[-1])
        return RowPage(page_rows, encode_cursor(*(last if isinstance(last, tuple) else (last,))))

    def page(
        self,
        rows: Sequence[RowT],
        convert: Callable[[RowT], ItemT],
        position_of: Callable[[RowT], object],
    ) -> Page[ItemT]:
        """Cut the rows to the page and convert them to the items of an answer."""
        return self.cut(rows, position_of).to_page(convert)


async def _paging(limit: Limit = 100, cursor: Cursor = None) -> Paging:
    return Paging(limit, cursor)


PagingDep = Annotated[Paging, Depends(_paging)]
