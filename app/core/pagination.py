"""Lists: ``{items, next_cursor}``. A cursor says after which row to go on, so none has an end."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import ProblemError

Item = TypeVar("Item")

LARGEST_INTEGER = 2**63 - 1


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    model_config = ConfigDict(from_attributes=True)

    items: Sequence[Item]
    next_cursor: str | None = Field(description="Ask again with it; null on the last page.")


Limit = Annotated[int, Query(ge=1, le=1000, description="How many items at most.")]
CursorText = Annotated[
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


def decode_cursor(cursor: str | None, *kinds: type | tuple[type, ...]) -> list[Any] | None:
    """Read a cursor back; its parts must be of the kinds that the list put in."""
    if cursor is None:
        return None
    try:
        position = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        position = None
    if not isinstance(position, list) or len(position) != len(kinds):
        raise InvalidCursorError
    if not all(map(_is_of, position, kinds)):
        raise InvalidCursorError
    return position


def _is_of(part: object, kind: type | tuple[type, ...]) -> bool:
    """Whether a list could have put it in: of the very type, and of a size that can be stored."""
    storable = not isinstance(part, int) or abs(part) <= LARGEST_INTEGER
    has_nul = isinstance(part, str) and "\x00" in part
    return type(part) in (kind if isinstance(kind, tuple) else (kind,)) and storable and not has_nul


def page_of(
    rows: Sequence[Any],
    limit: int,
    position: Any,  # noqa: ANN401 - a function of any row
) -> tuple[Sequence[Any], str | None]:
    """Cut one row too many off, and name the place to go on from."""
    if len(rows) <= limit:
        return rows, None
    kept = rows[:limit]
    return kept, encode_cursor(*position(kept[-1]))
