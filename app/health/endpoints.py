"""Reading the history of scores, and all that health answers beside the envelope."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts import aliases
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import NotFoundError
from app.core.pagination import Cursor, Limit, Paging
from app.core.schemas import Day, Id, problem_responses
from app.health.adoption.endpoints import router as adoption
from app.health.explanations.endpoints import router as explanations
from app.health.overrides.endpoints import router as overrides
from app.health.restatements.endpoints import router as restatements
from app.health.rollups.endpoints import router as families
from app.health.schemas import AccountId, HealthHistoryOut, HealthHistoryPoint
from app.health.scoring import queries
from app.health.versions.endpoints import router as scorecards
from app.workspaces.auth import Reader

scores = APIRouter(prefix="/api/v1", tags=["health"])


@scores.get(
    "/accounts/{account_id}/health/history", responses=problem_responses(401, 403, 404, 422)
)
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
    cursor: Cursor = None,
) -> HealthHistoryOut:
    """Tell how the score was on each day, oldest first.

    An account that was merged into this one left its history under its old id: `merged` names it.
    """
    until = until or now.date()
    since = since or until - timedelta(days=min(90, until.toordinal() - 1))
    queries.get_account_health(session, caller.workspace_id, account_id)
    if merged and merged not in aliases.old_ids(session, caller.workspace_id, account_id):
        raise NotFoundError("merged account", merged)
    whose = merged or account_id
    found = queries.list_history(
        session,
        caller.workspace_id,
        whose,
        Paging(limit, cursor),
        since=since,
        until=until,
        original=original,
    )
    items = [HealthHistoryPoint.model_validate(row) for row in found.rows]
    return HealthHistoryOut(account_id=whose, items=items, next_cursor=found.next_cursor)


router = APIRouter()
for part in (scores, adoption, explanations, families, overrides, restatements, scorecards):
    router.include_router(part)
