"""Reading scores: one account, many, a list, the history."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.queries import mark_due
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import NotFoundError
from app.core.pagination import CursorText, InvalidCursorError, Limit, decode_cursor, page_of
from app.core.schemas import Day, Id, responses
from app.health import queries, service
from app.health.adoption_endpoints import router as adoption
from app.health.explain_endpoints import router as explanations
from app.health.override_endpoints import router as overrides
from app.health.restate_endpoints import router as restatements
from app.health.rollup_endpoints import router as families
from app.health.rollup_schemas import RollupOut
from app.health.rollup_service import rolled_up
from app.health.schemas import (
    AccountId,
    HealthOut,
    HealthScoresOut,
    HistoryOut,
    HistoryPoint,
)
from app.health.scorecard_endpoints import router as scorecards
from app.workspaces.auth import AccountWriter, Reader

MOST_AT_ONCE = 500

scores = APIRouter(prefix="/api/v1", tags=["health"])


@scores.get(
    "/accounts/{account_id}/health",
    response_model=HealthOut,
    responses=responses(401, 403, 404, 422),
)
def get_health(session: ReadSessionDep, caller: Reader, account_id: AccountId) -> Response:
    """Say how much value an account gets for what it pays, fresh to the second."""
    answer = _answer(session, caller.workspace_id, account_id)
    return Response(answer.model_dump_json(), media_type="application/json")


def _answer(session: Session, workspace_id: str, account_id: str) -> HealthOut:
    found = queries.standing(session, workspace_id, account_id)
    answer = HealthOut.of(found)
    if found.has_children:
        family = rolled_up(session, workspace_id, account_id)
        answer.rollup = RollupOut.model_validate(family)
    return answer


@scores.post("/accounts/{account_id}/health/refresh", responses=responses(401, 403, 404, 422))
def refresh_health(
    session: SessionDep, caller: AccountWriter, now: Now, account_id: AccountId
) -> HealthOut:
    """Compute the score at once, instead of seconds later."""
    queries.standing(session, caller.workspace_id, account_id)
    service.refresh(session, caller.workspace_id, [account_id], as_of=now.date(), now=now)
    mark_due(session, caller.workspace_id, [account_id])  # for what follows of the score
    return _answer(session, caller.workspace_id, account_id)


@scores.get("/accounts/{account_id}/health/history", responses=responses(401, 403, 404, 422))
def get_health_history(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    account_id: AccountId,
    since: Annotated[Day | None, Query(description="90 days ago by default.")] = None,
    until: Annotated[Day | None, Query(description="Today by default.")] = None,
    original: Annotated[bool, Query(description="As first written, not as restated.")] = False,
    merged: Annotated[
        Id | None, Query(description="Of the account that had this id before.")
    ] = None,
    limit: Limit = 1000,
    cursor: CursorText = None,
) -> HistoryOut:
    """Tell how the score was on each day, oldest first.

    An account that was merged into this one left its history under its old id: `merged` names it.
    """
    until = until or now.date()
    since = since or until - timedelta(days=min(90, until.toordinal() - 1))
    queries.standing(session, caller.workspace_id, account_id)
    if merged and merged not in aliases.old_ids(session, caller.workspace_id, account_id):
        raise NotFoundError("merged account", merged)
    whose = merged or account_id
    rows = queries.history(
        session,
        caller.workspace_id,
        whose,
        since=since,
        until=until,
        original=original,
        after=_moment(cursor),
        limit=limit + 1,
    )
    points, next_cursor = page_of(rows, limit, lambda row: (row.as_of.isoformat(), row.change))
    items = [HistoryPoint.model_validate(row) for row in points]
    return HistoryOut(account_id=whose, items=items, next_cursor=next_cursor)


@scores.get("/health-scores", responses=responses(401, 403, 422))
def get_health_scores(
    session: ReadSessionDep,
    caller: Reader,
    account_id: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]],
        Query(min_length=1, max_length=MOST_AT_ONCE),
    ],
) -> HealthScoresOut:
    """Read the scores of many accounts at once: repeat `account_id` up to 500 times."""
    renamed = aliases.current_ids(session, caller.workspace_id, account_id)
    asked = {renamed.get(key, key) for key in account_id}
    items = [HealthOut.of(row) for row in queries.standings(session, caller.workspace_id, asked)]
    known = {item.account_id for item in items}
    unknown = sorted({key for key in account_id if renamed.get(key, key) not in known})
    return HealthScoresOut(items=items, renamed=renamed, unknown=unknown)


def _moment(cursor: str | None) -> tuple[date, int] | None:
    position = decode_cursor(cursor, str, int)
    if position is None:
        return None
    try:
        return date.fromisoformat(position[0]), position[1]
    except ValueError:
        raise InvalidCursorError from None


router = APIRouter()
for part in (scores, adoption, explanations, families, overrides, restatements, scorecards):
    router.include_router(part)
