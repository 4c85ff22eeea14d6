"""Saved segments: filters that have a name."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import CursorText, Page, Paging, PagingDep
from app.core.schemas import Id, responses
from app.segments import account_queries, queries, service
from app.segments.listing import Listing
from app.segments.schemas import SORT, SORTED, AccountStanding, SegmentIn, SegmentOut
from app.workspaces.auth import AccountChange, Reader

router = APIRouter(
    prefix="/api/v1/segments", tags=["segments"], responses=responses(400, 401, 403, 404, 422)
)

Few = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]
SortText = Annotated[str, Query(pattern=SORT, description=SORTED)]


@router.get("")
def list_segments(
    session: ReadSessionDep, caller: Reader, now: Now, limit: Few = 20, cursor: CursorText = None
) -> Page[SegmentOut]:
    """List saved segments by key, each with who is in it at this moment."""
    found = queries.saved(session, caller.workspace_id, Paging(limit, cursor))
    wanted = [service.read(row.filter) for row in found.rows]
    totals = account_queries.totals(session, caller.workspace_id, wanted, today=now.date())
    items = [SegmentOut.of(row, total) for row, total in zip(found.rows, totals, strict=True)]
    return Page(items=items, next_cursor=found.next_cursor)


@router.put("/{key}")
def put_segment(key: Id, body: SegmentIn, session: SessionDep, change: AccountChange) -> SegmentOut:
    """Create or replace a saved segment."""
    row = service.put(session, change, key, name=body.name, filter=body.filter)
    return SegmentOut.of(row, service.total(session, row, today=change.at.date()))


@router.get("/{key}")
def get_segment(key: Id, session: ReadSessionDep, caller: Reader, now: Now) -> SegmentOut:
    """Show a saved segment, and who is in it at this moment."""
    row = queries.get(session, caller.workspace_id, key)
    return SegmentOut.of(row, service.total(session, row, today=now.date()))


@router.delete("/{key}", status_code=204)
def delete_segment(key: Id, session: SessionDep, change: AccountChange) -> None:
    """Delete a saved segment. Its accounts stay."""
    service.delete(session, change, key)


@router.get("/{key}/accounts")
def list_segment_accounts(
    key: Id,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    sort: SortText = "account_id",
) -> Page[AccountStanding]:
    """List the accounts that are in a saved segment at this moment."""
    wanted = service.resolve(session, caller.workspace_id, key=key)
    listing = Listing(wanted, sort, paging)
    return listing.page(session, caller.workspace_id, now.date())
