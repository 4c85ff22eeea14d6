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
        description="Only changes of these types, with commas between them.",
        examples=["score,alert"],
    ),
]


@router.get("/changes")
def list_changes(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    types: Types = None,
    start: FeedStart = FeedStart.OLDEST,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ChangesOut:
    """List what changed, in the order of commits. Follow `next_cursor` for ever.

    Without a cursor the feed begins with the oldest change that is kept (30 days), or at this
    moment with `start=now`.
    """
    running = queries.oldest_running_transaction(session)
    place = OLDEST_POSITION if start is FeedStart.OLDEST else FeedPosition(running, -1)
    if cursor is not None:
        place = parse_cursor(cursor, now=now, oldest_running=running)
    rows = queries.list_changes(
        session,
        caller.workspace_id,
        types=types.split(",") if types else (),
        after=place.key,
        limit=limit + 1,
    )
    shown = rows[:limit]
    if shown:
        place = FeedPosition(shown[-1].transaction_id, shown[-1].number)
    return ChangesOut(
        items=[ChangeOut.model_validate(row) for row in shown],
        next_cursor=place.cursor(now),
        has_more=len(rows) > limit,
    )
