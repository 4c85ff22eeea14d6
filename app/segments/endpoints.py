"""Lists of accounts by simple parameters, by a filter, or by a saved segment."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError
from app.core.filter_schema import marked
from app.core.filters import All, Condition, Filter, Op
from app.core.pagination import Page, Paging, PagingDep
from app.core.schemas import Id, responses
from app.health.assess import Status
from app.health.scorecard import Band
from app.segments import account_queries, service
from app.segments.envelope_endpoints import router as envelope_router
from app.segments.listing import Listing
from app.segments.saved_endpoints import router as saved_router
from app.segments.schemas import (
    LANGUAGE,
    SORT,
    SORTED,
    AccountsAsked,
    AccountStanding,
    Asked,
    TotalOut,
)
from app.workspaces.auth import Reader

IN_QUERY = "/query/filter"
LONGEST_FILTER = 8000

lists = APIRouter(prefix="/api/v1", tags=["accounts"])

Text = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")]
Cents = Annotated[int | None, Query(ge=0, le=2**53, description="In cents, at least.")]
FilterText = Annotated[
    str | None,
    Query(
        alias="filter",
        max_length=LONGEST_FILTER,
        description="A filter as JSON (docs/lists.md). A longer one goes to `POST …/query`.",
        json_schema_extra=marked(LANGUAGE),
    ),
]
SegmentKey = Annotated[Id | None, Query(description="A saved segment.")]
SortText = Annotated[str, Query(pattern=SORT, description=SORTED)]


@lists.get("/accounts", responses=responses(401, 403, 404, 422))
def list_accounts(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    band: Band | None = None,
    status: Status | None = None,
    segment: Text = None,
    owner: Text = None,
    plan: Text = None,
    min_mrr: Cents = None,
    wanted: FilterText = None,
    segment_key: SegmentKey = None,
    sort: SortText = "account_id",
) -> Page[AccountStanding]:
    """List accounts with their scores. Churned and excluded ones only if their status is asked.

    All that is said must hold: each parameter, the filter and the saved segment.
    """
    said = {"band": band, "status": status, "segment": segment, "owner": owner, "plan": plan}
    simple: list[Filter] = [
        Condition(name, Op.EQ, str(value)) for name, value in said.items() if value is not None
    ]
    if min_mrr is not None:
        simple.append(Condition("mrr_cents", Op.GTE, min_mrr))
    resolved = service.resolve(
        session, caller.workspace_id, read_filter(wanted), key=segment_key, at=IN_QUERY
    )
    listing = Listing(All((*simple, resolved)), sort, paging)
    return listing.page(session, caller.workspace_id, now.date())


@lists.post("/accounts/query", responses=responses(400, 401, 403, 404, 422))
def query_accounts(
    body: AccountsAsked, session: ReadSessionDep, caller: Reader, now: Now
) -> Page[AccountStanding]:
    """List accounts by a filter that is too long for a URL. It changes nothing."""
    resolved = service.resolve(session, caller.workspace_id, body.filter, key=body.segment_key)
    listing = Listing(resolved, body.sort, Paging(body.limit, body.cursor))
    return listing.page(session, caller.workspace_id, now.date())


@lists.post("/accounts/count", responses=responses(400, 401, 403, 404, 422))
def count_accounts(body: Asked, session: ReadSessionDep, caller: Reader, now: Now) -> TotalOut:
    """Count accounts and add up what they pay. It changes nothing."""
    resolved = service.resolve(session, caller.workspace_id, body.filter, key=body.segment_key)
    [total] = account_queries.totals(session, caller.workspace_id, [resolved], today=now.date())
    return TotalOut.of(total)


def read_filter(text: str | None) -> object:
    """Read a filter out of a URL; what is no JSON is wrong as a whole."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        wrong = [FieldError(IN_QUERY, 'JSON is wanted, such as {"segment": "smb"}.')]
        raise service.InvalidFilterError("The filter cannot be used.", errors=wrong) from None


router = APIRouter()
router.include_router(lists)
router.include_router(envelope_router)
router.include_router(saved_router)
