"""Routes of saved segments, which are filters with a name."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Cursor, Page, Paging, PagingDep
from app.core.schemas import Id, problem_responses
from app.portfolio import account_queries, segment_queries, segment_service
from app.portfolio.account_list import AccountListRequest, SortQuery
from app.portfolio.schemas import AccountListItem, SegmentIn, SegmentOut
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1/segments",
    tags=["segments"],
    responses=problem_responses(400, 401, 403, 404, 422),
)

SegmentLimit = Annotated[int, Query(ge=1, le=100, description="The maximum number of items.")]


@router.get("", summary="List segments")
def list_segments(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    limit: SegmentLimit = 20,
    cursor: Cursor = None,
) -> Page[SegmentOut]:
    """List saved segments by key, each with the number and the MRR of its current accounts."""
    page = segment_queries.list_segments(session, caller.workspace_id, Paging(limit, cursor))
    filters = [segment_service.parse_account_filter(row.filter) for row in page.rows]
    totals = account_queries.load_totals(session, caller.workspace_id, filters, today=now.date())
    items = [SegmentOut.of(row, total) for row, total in zip(page.rows, totals, strict=True)]
    return Page(items=items, next_cursor=page.next_cursor)


@router.put("/{key}", summary="Create or replace a segment")
def put_segment(key: Id, body: SegmentIn, session: SessionDep, actor: AccountActor) -> SegmentOut:
    """Create or replace a saved segment. The same values again change nothing."""
    row = segment_service.put_segment(session, actor, key, name=body.name, filter=body.filter)
    return SegmentOut.of(
        row, segment_service.load_segment_total(session, row, today=actor.at.date())
    )


@router.get("/{key}", summary="Get a segment")
def get_segment(key: Id, session: ReadSessionDep, caller: Reader, now: Now) -> SegmentOut:
    """Return a saved segment with the number and the MRR of its current accounts."""
    row = segment_queries.get_segment(session, caller.workspace_id, key)
    return SegmentOut.of(row, segment_service.load_segment_total(session, row, today=now.date()))


@router.delete("/{key}", summary="Delete a segment", status_code=204)
def delete_segment(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete a saved segment. The accounts in it do not change."""
    segment_service.delete_segment(session, actor, key)


@router.get("/{key}/accounts", summary="List the accounts of a segment")
def list_segment_accounts(
    key: Id,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    sort: SortQuery = "account_id",
) -> Page[AccountListItem]:
    """List the accounts that match a saved segment now."""
    filter_ = segment_service.resolve_filter(session, caller.workspace_id, key=key)
    listing = AccountListRequest(filter_, sort, paging)
    return listing.page(session, caller.workspace_id, now.date())
