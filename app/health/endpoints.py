"""Endpoint of the score history, and the router of all health endpoints."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts import aliases
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import NotFoundError
from app.core.http.days import OtherDaysDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Cursor, Limit, Paging
from app.core.schemas import Day, Id, problem_responses
from app.health.adoption.endpoints import router as adoption
from app.health.definition.benchmark_endpoints import router as benchmarks
from app.health.explanations.endpoints import router as explanations
from app.health.overrides.endpoints import router as overrides
from app.health.restatements.endpoints import router as restatements
from app.health.rollups.endpoints import router as rollups
from app.health.schemas import AccountId, HealthHistoryOut, HealthHistoryPoint
from app.health.scoring import queries
from app.health.versions.endpoints import router as scorecards
from app.workspaces.auth import Reader

scores = APIRouter(prefix="/api/v1", tags=["health"], route_class=DeclaredRoute)


@scores.get(
    "/accounts/{account_id}/health/history",
    responses=problem_responses(401, 403, 404, 422),
    summary="List an account's score history",
)
def get_health_history(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    account_id: AccountId,
    other: OtherDaysDep,
    since: Annotated[Day | None, Query(description="First day; 90 days ago by default.")] = None,
    until: Annotated[Day | None, Query(description="Last day; today by default.")] = None,
    original: Annotated[
        bool, Query(description="Return the rows as first written, not as restated.")
    ] = False,
    merged: Annotated[
        Id | None,
        Query(description="Return the history of an account that was merged into this one."),
    ] = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> HealthHistoryOut:
    """Return the score of each day, oldest first, with one more row per change of band.

    An account that was merged into this one keeps its history under its old id: see `merged`.
    """
    since, until = other.fill(since, until)
    until = until or now.date()
    since = since or until - timedelta(days=min(90, until.toordinal() - 1))
    queries.get_account_health(session, caller.workspace_id, account_id)
    if merged and merged not in aliases.old_ids(session, caller.workspace_id, account_id):
        raise NotFoundError("merged account", merged)
    shown_id = merged or account_id
    page = queries.list_history(
        session,
        caller.workspace_id,
        shown_id,
        Paging(limit, cursor),
        since=since,
        until=until,
        original=original,
    )
    items = [HealthHistoryPoint.model_validate(row) for row in page.rows]
    return HealthHistoryOut(account_id=shown_id, items=items, next_cursor=page.next_cursor)


routers = (scores, adoption, explanations, rollups, overrides, restatements, scorecards, benchmarks)
