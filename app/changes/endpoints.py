"""The change feed over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from app.changes import queries
from app.changes.feed import (
    CLOCK_TOLERANCE,
    OLDEST_POSITION,
    FeedPosition,
    parse_cursor,
    position_before,
)
from app.changes.schemas import ChangeOut, ChangesOut, ChangeType, FeedStart, FeedTime
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError, UnprocessableError
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Cursor, Limit
from app.core.schemas import problem_responses
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["changes"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)

NAMES = "|".join(ChangeType)
Types = Annotated[
    str | None,
    Query(
        pattern=f"^({NAMES})(,({NAMES}))*$",
        description="Only changes of these types, separated by commas.",
        examples=["score,alert"],
    ),
]
Start = Annotated[
    FeedStart | None,
    Query(description="Where to begin without a cursor: at the oldest change, or at this moment."),
]


Since = Annotated[
    FeedTime | None,
    Query(
        description="Without a cursor, begin with the first change at or after this time: RFC 3339"
        " with a zone, or a day (UTC). Not together with `start`.",
        examples=["2026-03-18T08:00:00Z"],
    ),
]
OtherSince = Annotated[
    FeedTime | None,
    Query(alias="from", deprecated=True, description="Another name of `since`."),
]


class InvalidStartError(UnprocessableError):
    code = "invalid_start"

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__("The start of the feed is invalid.", errors=[FieldError(pointer, message)])


@router.get("/changes", summary="List changes")
def list_changes(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    types: Types = None,
    start: Start = None,
    since: Since = None,
    other_since: OtherSince = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ChangesOut:
    """List changes in commit order. `next_cursor` is never null: poll with it for new changes.

    Without a cursor the feed begins with the oldest stored change (30 days), with the first change
    since a time with `since`, or at this moment with `start=now`. A cursor that was not used for 29
    days answers 404.
    """
    name = "from" if since is None else "since"
    since = since or other_since
    if since is not None:
        _check_since(name, since, start, now)
    oldest_running = queries.oldest_running_transaction(session)
    if cursor is not None:
        position = parse_cursor(cursor, now=now, oldest_running=oldest_running)
    elif since is not None:
        first = queries.find_first_change(session, caller.workspace_id, since=since)
        position = position_before(first, oldest_running)
    else:
        is_now = start is FeedStart.NOW
        position = FeedPosition(oldest_running, -1) if is_now else OLDEST_POSITION
    rows = queries.list_changes(
        session,
        caller.workspace_id,
        types=types.split(",") if types else (),
        after=position,
        limit=limit + 1,
    )
    page = rows[:limit]
    if page:
        position = FeedPosition(page[-1].transaction_id, page[-1].number)
    return ChangesOut(
        items=[ChangeOut.model_validate(row) for row in page],
        next_cursor=position.cursor(now),
        has_more=len(rows) > limit,
    )


def _check_since(name: str, since: datetime, start: FeedStart | None, now: datetime) -> None:
    if start is not None:
        raise InvalidStartError("/query/start", f"Send either `start` or `{name}`, not both.")
    if since > now + CLOCK_TOLERANCE:
        raise InvalidStartError(f"/query/{name}", f"`{name}` must not be after now.")
