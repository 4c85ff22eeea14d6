"""The change feed over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.changes import queries
from app.changes.feed import OLDEST_POSITION, FeedPosition, parse_cursor
from app.changes.schemas import ChangeOut, ChangesOut, ChangeType, FeedStart
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.pagination import Cursor, Limit
from app.core.schemas import problem_responses
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1", tags=["changes"], responses=problem_responses(401, 403, 404, 422)
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
    FeedStart,
    Query(description="Where to begin without a cursor: at the oldest change, or at this moment."),
]


@router.get("/changes", summary="List changes")
def list_changes(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    types: Types = None,
    start: Start = FeedStart.OLDEST,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ChangesOut:
    """List changes in commit order. `next_cursor` is never null: poll with it for new changes.

    Without a cursor the feed begins with the oldest stored change (30 days), or at this moment
    with `start=now`. A cursor that was not used for 29 days answers 404.
    """
    oldest_running = queries.oldest_running_transaction(session)
    position = OLDEST_POSITION if start is FeedStart.OLDEST else FeedPosition(oldest_running, -1)
    if cursor is not None:
        position = parse_cursor(cursor, now=now, oldest_running=oldest_running)
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
