"""Saved segments: filters that have a name."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Cursor, Page, Paging, PagingDep
from app.core.schemas import Id, problem_responses
from app.portfolio import account_queries, segment_queries, segment_service
from app.portfolio.account_list import AccountListRequest
from app.portfolio.schemas import (
    SORT_DESCRIPTION,
    SORT_PATTERN,
    AccountListItem,
    SegmentIn,
    SegmentOut,
)
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1/segments",
    tags=["segments"],
    responses=problem_responses(400, 401, 403, 404, 422),
)

SegmentLimit = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]
SortQuery = Annotated[str, Query(pattern=SORT_PATTERN, description=SORT_DESCRIPTION)]


@router.get("")
def list_segments(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    limit: SegmentLimit = 20,
    cursor: Cursor = None,
) -> Page[SegmentOut]:
    """List saved segments by key, each with who is in it at this moment."""
    found = segment_queries.list_segments(session, caller.workspace_id, Paging(limit, cursor))
    wanted = [segment_service.parse_account_filter(row.filter) for row in found.rows]
    totals = account_queries.load_totals(session, caller.workspace_id, wanted, today=now.date())
    items = [SegmentOut.of(row, total) for row, total in zip(found.rows, totals, strict=True)]
    return Page(items=items, next_cursor=found.next_cursor)


@router.put("/{key}")
def put_segment(key: Id, body: SegmentIn, session: SessionDep, change: AccountActor) -> SegmentOut:
    """Create or replace a saved segment."""
    row = segment_service.put_segment(session, change, key, name=body.name, filter=body.filter)
    return SegmentOut.of(
        row, segment_service.load_segment_total(session, row, today=change.at.date())
    )


@router.get("/{key}")
def get_segment(key: Id, session: ReadSessionDep, caller: Reader, now: Now) -> SegmentOut:
    """Show a saved segment, and who is in it at this moment."""
    row = segment_queries.get_segment(session, caller.workspace_id, key)
    return SegmentOut.of(row, segment_service.load_segment_total(session, row, today=now.date()))


@router.delete("/{key}", status_code=204)
def delete_segment(key: Id, session: SessionDep, change: AccountActor) -> None:
    """Delete a saved segment. Its accounts stay."""
    segment_service.delete_segment(session, change, key)


@router.get("/{key}/accounts")
def list_segment_accounts(
    key: Id,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    sort: SortQuery = "account_id",
) -> Page[AccountListItem]:
    """List the accounts that are in a saved segment at this moment."""
    wanted = segment_service.resolve_filter(session, caller.workspace_id, key=key)
    listing = AccountListRequest(wanted, sort, paging)
    return listing.page(session, caller.workspace_id, now.date())
