"""Routes of account lists and saved segments; ``router`` has all routes of this package."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy.orm import Session

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.filters.openapi import filter_marker
from app.core.filters.tree import And, Condition, Filter, Op
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Cursor, Page, Paging, PagingDep
from app.core.query_helpers import get_row
from app.core.row_queries import list_rows
from app.core.schemas import NO_NUL, Id, problem_responses
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.portfolio import segment_service
from app.portfolio.account_list import SortQuery, load_account_page
from app.portfolio.account_queries import load_totals
from app.portfolio.health_endpoints import router as health_router
from app.portfolio.schemas import (
    FILTER_SCHEMA_NAME,
    AccountListItem,
    AccountQuery,
    AccountSelection,
    AccountTotalOut,
    SegmentIn,
    SegmentOut,
    total_fields,
)
from app.portfolio.segment_service import resolve_filter, resolve_filter_query
from app.portfolio.tables import SavedSegment
from app.workspaces.auth import AccountActor, Reader
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.resources import delete_row

MAX_FILTER_LENGTH = 8000

list_router = APIRouter(prefix="/api/v1", tags=["accounts"], route_class=IdempotentRoute)
segment_router = APIRouter(prefix="/api/v1/segments", tags=["segments"], route_class=DeclaredRoute)

ExactText = Annotated[str, Field(max_length=255, pattern=NO_NUL)]
SegmentQuery = Annotated[
    ExactText | None, Query(description="Only accounts of this segment.", examples=["smb"])
]
OwnerQuery = Annotated[
    ExactText | None,
    Query(description="Only accounts of this owner.", examples=["kim@example.com"]),
]
PlanQuery = Annotated[
    ExactText | None, Query(description="Only accounts with this plan.", examples=["team"])
]
MinCentsQuery = Annotated[
    int | None, Query(ge=0, le=2**53, description="The minimum MRR in cents.")
]
OldMinCentsQuery = Annotated[
    int | None,
    Query(ge=0, le=2**53, deprecated=True, description="Another name of `min_mrr_cents`."),
]
FilterQuery = Annotated[
    str | None,
    Query(
        alias="filter",
        max_length=MAX_FILTER_LENGTH,
        description="A filter as JSON (docs/lists.md). Send a longer one to `POST …/query`.",
        json_schema_extra=filter_marker(FILTER_SCHEMA_NAME),
    ),
]
SegmentKeyQuery = Annotated[Id | None, Query(description="The key of a saved segment.")]
SegmentLimit = Annotated[int, Query(ge=1, le=100, description="The maximum number of items.")]


@list_router.get("/accounts", summary="List accounts")
def list_accounts(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    band: Band | None = None,
    status: HealthStatus | None = None,
    segment: SegmentQuery = None,
    owner: OwnerQuery = None,
    plan: PlanQuery = None,
    min_mrr_cents: MinCentsQuery = None,
    min_mrr: OldMinCentsQuery = None,
    filter: FilterQuery = None,  # noqa: A002 - the name of the parameter
    segment_key: SegmentKeyQuery = None,
    sort: SortQuery = "account_id",
) -> Page[AccountListItem]:
    """List accounts with their scores.

    An account must match every parameter, the filter and the saved segment. Churned and excluded
    accounts are left out unless the request filters by `status`.
    """
    exact = {"band": band, "status": status, "segment": segment, "owner": owner, "plan": plan}
    conditions: list[Filter] = [
        Condition(name, Op.EQ, str(value)) for name, value in exact.items() if value is not None
    ]
    least = min_mrr if min_mrr_cents is None else min_mrr_cents
    if least is not None:
        conditions.append(Condition("mrr_cents", Op.GTE, least))
    resolved = resolve_filter_query(session, caller.workspace_id, filter, segment_key)
    return load_account_page(
        session, caller.workspace_id, And((*conditions, resolved)), sort, paging, now=now
    )


@list_router.post(
    "/accounts/query",
    summary="List accounts by a filter in the body",
    responses=problem_responses(404),
)
def query_accounts(
    body: AccountQuery, session: ReadSessionDep, caller: Reader, now: Now
) -> Page[AccountListItem]:
    """List accounts by a filter that is too long for a URL. The request changes nothing."""
    resolved = resolve_filter(session, caller.workspace_id, body.filter, key=body.segment_key)
    paging = Paging(body.limit, body.cursor)
    return load_account_page(session, caller.workspace_id, resolved, body.sort, paging, now=now)


@list_router.post("/accounts/count", summary="Count accounts", responses=problem_responses(404))
def count_accounts(
    body: AccountSelection, session: ReadSessionDep, caller: Reader, now: Now
) -> AccountTotalOut:
    """Return the number and total MRR of the accounts that match. The request changes nothing."""
    resolved = resolve_filter(session, caller.workspace_id, body.filter, key=body.segment_key)
    [total] = load_totals(session, caller.workspace_id, [resolved], today=now.date())
    return AccountTotalOut(**total_fields(total))


@segment_router.get("", summary="List segments")
def list_segments(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    limit: SegmentLimit = 20,
    cursor: Cursor = None,
) -> Page[SegmentOut]:
    """List saved segments by key, each with the number and the MRR of its current accounts."""
    page = list_rows(session, caller.workspace_id, SavedSegment, Paging(limit, cursor))
    items = _with_totals(session, caller.workspace_id, page.rows, now)
    return Page(items=items, next_cursor=page.next_cursor)


@segment_router.put("/{key}", summary="Create or replace a segment")
def put_segment(key: Id, body: SegmentIn, session: SessionDep, actor: AccountActor) -> SegmentOut:
    """Create or replace a saved segment. The same values again change nothing."""
    row = segment_service.put_segment(session, actor, key, body.model_dump())
    [segment] = _with_totals(session, actor.workspace_id, [row], actor.at)
    return segment


@segment_router.get("/{key}", summary="Get a segment")
def get_segment(key: Id, session: ReadSessionDep, caller: Reader, now: Now) -> SegmentOut:
    """Return a saved segment with the number and the MRR of its current accounts."""
    row = get_row(session, SavedSegment, (caller.workspace_id, key), "segment")
    [segment] = _with_totals(session, caller.workspace_id, [row], now)
    return segment


@segment_router.delete("/{key}", summary="Delete a segment", status_code=204)
def delete_segment(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete a saved segment. The accounts in it do not change."""
    delete_row(session, actor, SavedSegment, key, kind="segment")


@segment_router.get("/{key}/accounts", summary="List the accounts of a segment")
def list_segment_accounts(
    key: Id,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    sort: SortQuery = "account_id",
) -> Page[AccountListItem]:
    """List the accounts that match a saved segment now."""
    filter_ = resolve_filter(session, caller.workspace_id, key=key)
    return load_account_page(session, caller.workspace_id, filter_, sort, paging, now=now)


def _with_totals(
    session: Session, workspace_id: str, rows: Sequence[SavedSegment], now: datetime
) -> list[SegmentOut]:
    filters = [segment_service.parse_account_filter(row.filter) for row in rows]
    totals = load_totals(session, workspace_id, filters, today=now.date())
    return [
        SegmentOut.from_row(row, **total_fields(total))
        for row, total in zip(rows, totals, strict=True)
    ]


routers = (list_router, health_router, segment_router)
