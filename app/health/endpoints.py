"""Reading scores: one account, many, a list, the history."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import CursorText, InvalidCursorError, Limit, Page, decode_cursor, page_of
from app.core.schemas import Day, responses
from app.health import queries, service
from app.health.assess import Status
from app.health.filters import AccountFilter, Sort
from app.health.schemas import (
    AccountStanding,
    HealthOut,
    HealthScoresOut,
    HistoryOut,
    HistoryPoint,
)
from app.health.scorecard import Band
from app.workspaces.auth import AccountWriter, Reader

MOST_AT_ONCE = 500

router = APIRouter(prefix="/api/v1", tags=["health"])

AccountId = Annotated[str, Path(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]
Text = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")]
SortText = Annotated[
    str,
    Query(
        pattern="^-?(score|mrr|name|account_id)$",
        description="A leading minus reverses the order; null comes last either way.",
    ),
]


@router.get(
    "/accounts/{account_id}/health",
    response_model=HealthOut,
    responses=responses(401, 403, 404, 422),
)
def get_health(session: ReadSessionDep, caller: Reader, account_id: AccountId) -> Response:
    """Say how much value an account gets for what it pays, fresh to the second."""
    found = queries.standing(session, caller.workspace_id, account_id)
    return Response(HealthOut.of(found).model_dump_json(), media_type="application/json")


@router.post("/accounts/{account_id}/health/refresh", responses=responses(401, 403, 404, 422))
def refresh_health(
    session: SessionDep, caller: AccountWriter, now: Now, account_id: AccountId
) -> HealthOut:
    """Compute the score at once, instead of seconds later."""
    queries.standing(session, caller.workspace_id, account_id)
    service.refresh(session, caller.workspace_id, [account_id], as_of=now.date(), now=now)
    return HealthOut.of(queries.standing(session, caller.workspace_id, account_id))


@router.get("/accounts/{account_id}/health/history", responses=responses(401, 403, 404, 422))
def get_health_history(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    account_id: AccountId,
    since: Annotated[Day | None, Query(description="90 days ago by default.")] = None,
    until: Annotated[Day | None, Query(description="Today by default.")] = None,
    limit: Limit = 1000,
    cursor: CursorText = None,
) -> HistoryOut:
    """Tell how the score was on each day, oldest first."""
    until = until or now.date()
    since = since or until - timedelta(days=min(90, until.toordinal() - 1))
    queries.standing(session, caller.workspace_id, account_id)
    rows = queries.history(
        session,
        caller.workspace_id,
        account_id,
        since=since,
        until=until,
        after=_moment(cursor),
        limit=limit + 1,
    )
    points, next_cursor = page_of(rows, limit, lambda row: (row.as_of.isoformat(), row.change))
    items = [HistoryPoint.model_validate(row) for row in points]
    return HistoryOut(account_id=account_id, items=items, next_cursor=next_cursor)


@router.get("/health-scores", responses=responses(401, 403, 422))
def get_health_scores(
    session: ReadSessionDep,
    caller: Reader,
    account_id: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]],
        Query(min_length=1, max_length=MOST_AT_ONCE),
    ],
) -> HealthScoresOut:
    """Read the scores of many accounts at once: repeat `account_id` up to 500 times."""
    found = queries.standings(session, caller.workspace_id, account_id)
    items = [HealthOut.of(row) for row in found]
    known = {item.account_id for item in items}
    return HealthScoresOut(items=items, unknown=sorted(set(account_id) - known))


@router.get("/accounts", responses=responses(401, 403, 404, 422))
def list_accounts(
    session: ReadSessionDep,
    caller: Reader,
    band: Band | None = None,
    status: Status | None = None,
    segment: Text = None,
    owner: Text = None,
    plan: Text = None,
    min_mrr: Annotated[int | None, Query(ge=0, le=2**53, description="In cents, at least.")] = None,
    sort: SortText = "account_id",
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Page[AccountStanding]:
    """List accounts with their scores. Churned and excluded ones only if their status is asked."""
    wanted = AccountFilter(
        band=band,
        status=status,
        segment=segment,
        owner=owner,
        plan=plan,
        min_mrr_cents=min_mrr,
        sort=Sort(sort.removeprefix("-")),
        descending=sort.startswith("-"),
    )
    rows = queries.list_standings(
        session, caller.workspace_id, wanted, after=_position(cursor, wanted.sort), limit=limit + 1
    )
    items, next_cursor = page_of(rows, limit, lambda row: _place(row, wanted.sort))
    return Page(
        items=[AccountStanding.model_validate(row) for row in items], next_cursor=next_cursor
    )


def _moment(cursor: str | None) -> tuple[date, int] | None:
    position = decode_cursor(cursor, str, int)
    if position is None:
        return None
    try:
        return date.fromisoformat(position[0]), position[1]
    except ValueError:
        raise InvalidCursorError from None


COLUMNS = {
    Sort.SCORE: "score",
    Sort.MRR: "mrr_cents",
    Sort.NAME: "name",
    Sort.ACCOUNT_ID: "account_id",
}
KINDS: dict[Sort, tuple[type, ...]] = {
    Sort.SCORE: (float, int, type(None)),
    Sort.MRR: (int,),
    Sort.NAME: (str, type(None)),
    Sort.ACCOUNT_ID: (str,),
}


def _place(row: Any, sort: Sort) -> tuple[Any, ...]:  # noqa: ANN401 - a row of the standings
    return (sort.value, getattr(row, COLUMNS[sort]), row.account_id)


def _position(cursor: str | None, sort: Sort) -> tuple[Any, str] | None:
    position = decode_cursor(cursor, str, KINDS[sort], str)
    if position is None:
        return None
    if position[0] != sort.value:
        raise InvalidCursorError("This cursor is of another order.")
    return position[1], position[2]
